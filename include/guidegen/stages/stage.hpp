#pragma once

#include <torch/nn/module.h>

#include <string>
#include <utility>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/random_stream.hpp"
#include "guidegen/data/loader.hpp"

namespace guidegen {

/// Losses of one step: `total` carries the gradient, the parts are for the log.
struct LossTerms {
  at::Tensor total;
  std::vector<std::pair<std::string, at::Tensor>> parts;  ///< detached scalars
};

/// Random streams of one training step. They depend on (seed, step, purpose) alone, so a resumed
/// run draws what an uninterrupted one would.
struct StepRandomness {
  uint64_t seed = 0;
  int64_t step = 0;
  RandomStream stream(const std::string& purpose) const {
    return RandomStream(seed, "step-" + std::to_string(step), purpose);
  }
};

/// What the networks know of the grid beside the voxels: log spacing relative to 3 mm and field of
/// view in units of 400 mm, z, y, x each. [1,6] float32.
at::Tensor geometry_features(const ImageGeometry& geometry);

/// The prompt with fields opened at random, so that the networks learn what "open" means; nothing
/// at all with probability `prompt_dropout` (for classifier-free guidance).
std::optional<Prompt> drop_fields(const Prompt& prompt, double prompt_dropout, double field_dropout,
                                  RandomStream& stream);

}  // namespace guidegen
