#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <optional>
#include <string>

#include "guidegen/train/optimizer.hpp"

namespace guidegen {

/// Checkpoints of a run: <run>/checkpoints/step-N/{weights,optimizer}.safetensors and state.json
/// with the SHA-256 of both. They appear whole or not at all.
class CheckpointStore {
 public:
  /// `keep`: how many of the newest stay on disk; the one of lowest validation loss stays as well.
  CheckpointStore(std::filesystem::path run_directory, int64_t keep);

  /// Saves the state after `step` steps. Throws Error(kFailure) when it cannot be written; older
  /// checkpoints are as they were then.
  void save(int64_t step, const torch::nn::Module& module, const Optimizer& optimizer,
            std::optional<double> validation_loss = std::nullopt);

  /// Restores the newest checkpoint whose files match their hashes and returns its step; broken
  /// ones are passed over with a warning. Throws Error(kFailure) when there is none that is whole.
  int64_t load_newest(torch::nn::Module& module, Optimizer& optimizer) const;

  bool empty() const { return steps().empty(); }

 private:
  std::vector<int64_t> steps() const;  ///< newest first
  /// The step of lowest validation loss, where any checkpoint has one.
  std::optional<int64_t> best() const;
  void prune(int64_t newest) const;
  void remove(int64_t step) const;
  std::filesystem::path folder(int64_t step) const;

  std::filesystem::path root_;
  int64_t keep_;
};

}  // namespace guidegen
