#pragma once

#include "guidegen/generate/case_sampler.hpp"
#include "guidegen/generate/case_writer.hpp"

namespace guidegen {

/// Called between sampling steps with what is being sampled ("mask", "CT"); may throw to stop.
using StageCallback = std::function<void(const char* what, int64_t step, int64_t total)>;

/// Samples masks until one passes its gates or retries run out, then CTs of the best one likewise.
/// The best attempt is the one of fewest penalties, then the earliest.
FinishedCase make_case(CaseSampler& sampler, const PlannedCase& planned, const Recipe& recipe,
                       const GateSettings& gates, const StageCallback& on_step);

}  // namespace guidegen
