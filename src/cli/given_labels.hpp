#pragma once

#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/stages/mask_request.hpp"
#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// What of a mask file a new mask keeps.
struct KeepOptions {
  std::string mask;               ///< labels of the model's vocabulary
  std::vector<std::string> keep;  ///< labels or groups that stay exactly as they are
  std::string region;             ///< only where this one isn't 0 is made anew
  bool used() const { return !mask.empty(); }
};

/// Throws Error(kUsage) unless --mask comes with --keep or --region, and they with it.
void check_options(const KeepOptions& options);

struct GivenMask {
  GivenLabels given;
  ImageGeometry geometry;
};

/// Reads the files. Voxels outside the region are fixed, and so are those of kept labels; kept
/// labels occur nowhere else. Throws Error(kUsage) for unknown labels and for files that do not fit
/// together.
GivenMask read_given_labels(const KeepOptions& options, const Vocabulary& vocabulary);

/// Times of sampling from "even", "power:EXPONENT" or a list of shares "1,0.9,0.5", into
/// `sampling`. Throws Error(kUsage) naming the flag.
void set_schedule(const std::string& text, MaskSampling& sampling);

}  // namespace guidegen
