#pragma once

#include <torch/nn/module.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/random_stream.hpp"
#include "guidegen/data/loader.hpp"
#include "guidegen/text/prompt_encoder.hpp"

namespace guidegen {

/// Losses of one step: `total` carries the gradient, the parts are for the log.
struct LossTerms {
  at::Tensor total;
  std::vector<std::pair<std::string, at::Tensor>> parts;  ///< detached scalars
};

/// Random streams of the cases of one training step. They depend on (seed, step, place of the case
/// in the step, purpose) alone: neither a resume nor how the step is split over processes and
/// micro-batches changes what is drawn.
struct StepRandomness {
  uint64_t seed = 0;
  int64_t step = 0;
  int64_t first = 0;  ///< place of the first case at hand among all cases of the step
  RandomStream stream(const std::string& purpose, size_t item) const {
    return RandomStream(seed, concat("step-", step, "/", first + static_cast<int64_t>(item)),
                        purpose);
  }
};

/// What a stage's loss needs of some cases of a step: everything drawn and laid out on the CPU, in
/// the background, so that the device only computes. Each stage names its tensors.
struct StepInputs {
  int64_t step = 0;  ///< of the run, 0-based
  TrainingBatch cases;
  std::vector<std::optional<Prompt>> prompts;  ///< with fields opened at random
  /// Stage III: first latent voxel (D,H,W) of each case's crop.
  std::vector<std::array<int64_t, 3>> origins;
  std::map<std::string, at::Tensor> tensors;

  const at::Tensor& tensor(const std::string& name) const { return tensors.at(name); }
  /// Page-locked copies of the tensors, from which transfers to a GPU are asynchronous.
  void pin();
  /// Moves the tensors; asynchronous from page-locked memory.
  void to(const at::Device& device);
};

/// What the networks know of the grid beside the voxels: log spacing relative to 3 mm and field of
/// view in units of 400 mm, z, y, x each. [1,6] float32.
at::Tensor geometry_features(const ImageGeometry& geometry);

/// The same with tokens that are not present added up to a multiple of 16, so that prompts of any
/// length give network calls of one shape. All that a network makes of them is zeros in its sums.
PromptFeatures with_round_length(const PromptFeatures& text);

/// The prompt with fields opened at random, so that the networks learn what "open" means; nothing
/// at all with probability `prompt_dropout` (for classifier-free guidance).
std::optional<Prompt> drop_fields(const Prompt& prompt, double prompt_dropout, double field_dropout,
                                  RandomStream& stream);

}  // namespace guidegen
