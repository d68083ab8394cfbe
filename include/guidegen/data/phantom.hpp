#pragma once

#include <optional>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// What to draw. Fields of `wish` that are open are drawn at random from the phantom's priors.
struct PhantomRequest {
  uint64_t seed = 0;
  std::string case_id = "phantom";
  ImageGeometry geometry;                 ///< RAS; the torso is centred in it, cropped where smaller
  Prompt wish;
};

/// A procedural patient: mask (uint8 [1,D,H,W]), CT (float32 HU [1,D,H,W]) and the prompt that describes them,
/// tumours as measured from the finished mask.
struct Phantom {
  Volume mask;
  Volume ct;
  Prompt prompt;
};

/// Deterministic in the request: same bytes on any machine of the same architecture.
Phantom make_phantom(const PhantomRequest& request, const Vocabulary& vocabulary);

}  // namespace guidegen
