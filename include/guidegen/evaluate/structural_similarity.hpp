#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace guidegen {

/// Half the side of the Gaussian window, in voxels: sigma 1.5 truncated at 3.5 sigma, 11 taps.
inline constexpr int64_t kSsimRadius = 5;

/// Structural similarity at each voxel, float64 [D,H,W], at most 1.
struct SsimMaps {
  at::Tensor volume;  ///< Gaussian window over 11 x 11 x 11 voxels
  at::Tensor slices;  ///< over 11 x 11 voxels of each axial slice
};

/// Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
/// TIP 13:600, 2004:
///     SSIM = (2 ma mb + C1) (2 cab + C2) / ((ma^2 + mb^2 + C1) (va + vb + C2))
/// with means, variances and covariance under a normalized Gaussian of sigma 1.5 voxels, C1 = (0.01
/// range)^2 and C2 = (0.03 range)^2. SSIM is not invariant to offsets: images are expected in
/// 0…`range`. Edges are mirrored (d c b a | a b c d | d c b a), so that maps agree with
/// skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5,
/// use_sample_covariance=False, full=True). `a` and `b`: equal shapes [D,H,W], made float64.
/// Throws Error(kFailure) for other shapes.
SsimMaps ssim_maps(const at::Tensor& a, const at::Tensor& b, double range);

/// Means under that Gaussian along one axis (0…2) of a contiguous float64 [D,H,W], same shape.
at::Tensor smooth_along(const at::Tensor& image, int64_t axis);

}  // namespace guidegen
