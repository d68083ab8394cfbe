#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "guidegen/core/json.hpp"
#include "guidegen/volume/exposure.hpp"

namespace guidegen {

/// How far a reconstruction is from its reference, as seen through one Hounsfield window.
struct WindowError {
  std::string name;   ///< of the exposure, "overall" for the whole range
  double low_hu = 0;  ///< edges of the window
  double high_hu = 0;
  int64_t voxels = 0;  ///< with the reference inside [low_hu, high_hu]
  double mae_hu = 0;   ///< mean |reference - reconstruction| over those voxels; NaN when none
  /// 10 log10((high - low)^2 / MSE) in dB with both volumes clamped to the window, over all voxels;
  /// infinite for equal images.
  double psnr_db = 0;
};

struct HuErrorReport {
  std::vector<WindowError> windows;  ///< one an exposure, in their order
  WindowError overall;               ///< -1024…3071 HU
};

/// `reference` and `reconstruction`: equal shapes, HU, any floating type; compared in float64.
/// Throws Error(kFailure) when shapes differ, a volume is empty or a value is not finite.
HuErrorReport hu_error(const at::Tensor& reference, const at::Tensor& reconstruction,
                       const std::vector<Exposure>& exposures);

/// A table for people, one line a window and a final newline.
std::string to_table(const HuErrorReport& report);
/// {"windows": [{"name", "low_hu", "high_hu", "voxels", "mae_hu", "psnr_db"}], "overall": {…}};
/// figures that do not exist (no voxels, infinite PSNR) are null.
Json to_json(const HuErrorReport& report);

}  // namespace guidegen
