#pragma once

#include <filesystem>

#include "guidegen/data/dataset.hpp"
#include "guidegen/train/stage_task.hpp"
#include "guidegen/train/training_config.hpp"

namespace guidegen {

/// What a run does beside its task.
struct RunOptions {
  std::filesystem::path out;     ///< run directory
  bool resume = false;           ///< go on from the newest intact checkpoint
  std::filesystem::path init{};  ///< model directory to start from; empty: random weights
};

/// Trains `task` and fills the run directory: config.json (resolved), metrics.jsonl, checkpoints/,
/// previews/ and, at the end, model/ with the averaged weights. A stop signal saves a checkpoint
/// and throws Stopped. On one machine and thread count, a resumed run is bit-identical to one that
/// was never stopped. Resuming with another training.steps goes on to there, along the learning
/// rates of the new length; how often to log, save and draw may change too. Throws Error(kUsage)
/// when the run exists and `resume` is off, or its config differs otherwise.
void train(StageTask& task, const Dataset& dataset, const TrainingConfig& config,
           const RunOptions& run);

}  // namespace guidegen
