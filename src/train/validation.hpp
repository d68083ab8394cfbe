#pragma once

#include <optional>

#include "guidegen/nn/autocast.hpp"
#include "guidegen/train/collective.hpp"
#include "guidegen/train/optimizer.hpp"
#include "guidegen/train/stage_task.hpp"
#include "guidegen/train/training_config.hpp"

namespace guidegen {

/// Mean loss of the averaged weights over the first training.validation_cases validating cases,
/// split over processes. Noise, times and crops are the same every time, so values compare. Absent
/// where there is no such case. Called by all processes.
std::optional<double> validation_loss(StageTask& task, const Dataset& dataset,
                                      const TrainingConfig& config, Optimizer& optimizer,
                                      Collective& collective, const at::Device& device,
                                      const AutocastState& precision);

}  // namespace guidegen
