#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

#include "guidegen/data/dataset.hpp"
#include "guidegen/train/stage_task.hpp"
#include "guidegen/train/training_config.hpp"
#include "guidegen/train/world.hpp"

namespace guidegen {

/// What a run does beside its task.
struct RunOptions {
  std::filesystem::path out;     ///< run directory
  bool resume = false;           ///< go on from the newest intact checkpoint
  std::filesystem::path init{};  ///< model directory to start from; empty: random weights
  at::Device device = at::kCPU;
  World world{};         ///< the processes that train together
  bool profile = false;  ///< trace a few steps to <out>/trace.json
};

/// Trains `task` and fills the run directory: config.json (resolved), metrics.jsonl, TensorBoard
/// events, checkpoints/, previews/ and, at the end, model/ with the averaged weights. With several
/// processes the first alone writes there; each computes its share of every step and all hold the
/// same weights. A stop signal to any of them saves a checkpoint and throws Stopped in all.
///
/// On processors of one kind, with one thread count and number of processes, a resumed run is
/// bit-identical to one that was never stopped; with another number of processes it differs by
/// rounding alone, where the network has no dropout. On GPUs the last digits vary from run to run.
/// Resuming with another training.steps goes on to there, along the learning rates of the new
/// length; how often to log, save and draw, and how the work is laid out, may change too. Throws
/// Error(kUsage) when the run exists and `resume` is off, or its config differs otherwise.
void train(StageTask& task, const Dataset& dataset, const TrainingConfig& config,
           const RunOptions& run);

}  // namespace guidegen
