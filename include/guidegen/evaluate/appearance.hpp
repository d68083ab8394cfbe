#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// How one organ looks in one CT. "Inside" are its voxels without a face neighbor of another label;
/// figures of the inside are NaN below eight of them.
struct OrganAppearance {
  int64_t voxels = 0;
  int64_t inside_voxels = 0;
  double median_hu = 0;               ///< of all voxels
  double deviation_hu = 0;            ///< standard deviation inside
  double gradient_hu_per_mm = 0;      ///< mean length of the gradient inside, central differences
  double noise_variance_hu2 = 0;      ///< of NoisePower inside; NaN where no patch fits
  double noise_frequency_per_mm = 0;  ///< its mean frequency
};

/// How one tumor stands out from the organ that holds it.
struct TumorAppearance {
  TumorOrgan organ = TumorOrgan::kLung;
  double diameter_mm = 0;
  int64_t shell_voxels = 0;
  double inside_hu = 0;    ///< mean
  double shell_hu = 0;     ///< mean over voxels of the organ within 12 mm of the tumor
  double contrast_hu = 0;  ///< the former less the latter; NaN for a shell below four voxels
};

/// One CT as its mask divides it.
struct CaseAppearance {
  std::string id;
  std::optional<ContrastPhase> phase;  ///< of the prompt; absent where that leaves it open
  std::map<std::string, OrganAppearance> organs;  ///< all labels but the background that occur
  std::vector<TumorAppearance> tumors;            ///< those in one of the five organs
};

/// CT in HU and mask of the vocabulary, [1,D,H,W] on one grid. Throws Error(kFailure) otherwise.
CaseAppearance measure_appearance(const Volume& ct, const Volume& mask, const Prompt& prompt,
                                  const Vocabulary& vocabulary);

}  // namespace guidegen
