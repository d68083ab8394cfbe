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
  ImageGeometry geometry;  ///< RAS; the torso is centred in it, cropped where smaller
  Prompt wish;
  double implants = 0;  ///< share of patients, 0 to 1, with metal: hip prostheses, spinal screws
};

/// A procedural patient: mask (uint8 [1,D,H,W]), CT (float32 HU [1,D,H,W]) and the prompt that
/// describes them, tumours as measured from the finished mask.
struct Phantom {
  Volume mask;
  Volume ct;
  Prompt prompt;
};

/// Draws the torso from neck base to pelvis: implicit shapes in a canonical frame, bent into one
/// patient, each organ grown or shrunk to a volume drawn from the published mean and spread of its
/// sex (organ_facts). Tumors that find no room are left out of mask and prompt alike; tumors lie at
/// least two voxels apart. The T stage is recorded where size decides it (TNM, 8th edition).
/// HU lie in -1024 (outside the scanner's round field of view) … 3071; dense bone reaches about
/// 1500 at 6 mm and more on finer grids, metal 3071. Implants change the CT alone, and nothing of
/// it but where they are. Throws Error(kUsage) for a grid that is not RAS or a
/// vocabulary that lacks a label of `torso`.
/// Deterministic in the request: same bytes on any machine of the same architecture.
Phantom make_phantom(const PhantomRequest& request, const Vocabulary& vocabulary);

}  // namespace guidegen
