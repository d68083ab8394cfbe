#pragma once

#include <string>
#include <vector>

#include "guidegen/core/json.hpp"
#include "guidegen/train/optimizer.hpp"

namespace guidegen {

/// How to train, the same for every stage. JSON keys are the member names.
struct TrainingConfig {
  int64_t steps = 2000;
  int64_t batch = 2;        ///< cases of an optimizer step, over all processes
  int64_t micro_batch = 0;  ///< most cases that a process takes at once; 0: its whole share
  uint64_t seed = 1;
  double validation_share = 0.02;  ///< of the cases, kept out of training and used for previews
  int64_t log_every = 10;
  int64_t checkpoint_every = 200;
  int64_t keep_checkpoints = 2;    ///< the newest; the one that validates best stays as well
  int64_t preview_every = 500;     ///< 0: never
  int64_t validation_cases = 8;    ///< that give each checkpoint its validation loss; 0: none
  std::string precision = "auto";  ///< "auto", "fp32" or "bf16"
  /// Resolutions whose activations are computed again instead of kept; 0 is the finest.
  std::vector<int64_t> activation_checkpointing;
  int64_t workers = 2;  ///< threads that decode cases
  std::string cache;    ///< folder for decoded cases that all processes map; empty: none
  Optimizer::Options optimizer;

  static TrainingConfig from_json(JsonObject object);
  Json to_json() const;
};

/// A preset for `stage` (1, 2, 3 or kSegmenter): the name of a shipped one ("demo") or a path that
/// ends in ".json", with `overrides` of the form `training.steps=100` laid over it. Values are
/// JSON, or text where they are not. Throws Error(kUsage).
Json load_preset(const std::string& name_or_path, int stage,
                 const std::vector<std::string>& overrides);
/// The same for any `part` that a preset holds: "stage1", "text".
Json load_preset(const std::string& name_or_path, const std::string& part,
                 const std::vector<std::string>& overrides);
/// An object of optimizer options; keys are the names of Optimizer::Options, those left out keep
/// `defaults`. Throws Error(kUsage).
Optimizer::Options optimizer_from_json(JsonObject object, const Optimizer::Options& defaults);
Json to_json(const Optimizer::Options& options);

}  // namespace guidegen
