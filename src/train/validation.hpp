#pragma once

#include <optional>

#include "guidegen/nn/autocast.hpp"
#include "guidegen/train/collective.hpp"
#include "guidegen/train/optimizer.hpp"
#include "guidegen/train/stage_task.hpp"

namespace guidegen {

/// Mean loss of the averaged weights over the cases `indices`, split over processes. Noise, times
/// and crops are the same every time, so values compare. Absent where there is no case. Called by
/// all processes.
std::optional<double> validation_loss(StageTask& task, const CaseReader& read,
                                      const std::vector<size_t>& indices, uint64_t seed,
                                      Optimizer& optimizer, Collective& collective,
                                      const at::Device& device, const AutocastState& precision);

}  // namespace guidegen
