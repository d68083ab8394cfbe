#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <vector>

namespace guidegen {

/// Noise of homogeneous parts of a CT by spatial frequency. All NaN and empty without a patch.
struct NoiseSpectrum {
  int64_t patches = 0;
  std::vector<double> frequency_per_mm;  ///< 0, df, 2 df … up to Nyquist's
  std::vector<double> power;             ///< HU^2 mm^2, radial means
  double variance = 0;                   ///< HU^2: the integral over the frequency plane
  /// sum f NPS(f) / sum NPS(f) over the radial means (AAPM TG-233, 2019, "average frequency").
  double mean_frequency_per_mm = 0;
};

/// Two-dimensional noise power spectrum (ICRU report 87, 2012; Siewerdsen et al., Med Phys 29:2655,
/// 2002) from N x N patches of axial slices with voxels of dx x dy mm:
///     NPS(u,v) = dx dy / N^2 < | DFT( patch - its least-squares plane ) |^2 >
/// The plane goes, because shading across an organ is no noise. The integral over all frequencies
/// is the mean variance of those residuals exactly (Parseval); of white noise of variance s^2 it is
/// s^2 (1 - 3 / N^2), for the plane takes three of N^2 degrees of freedom.
class NoisePower {
 public:
  /// `pixel_mm`: dx, dy; `side`: N.
  NoisePower(const std::array<double, 2>& pixel_mm, int64_t side);
  /// HU [P,N,N], rows along y; P may be 0.
  void add(const at::Tensor& patches);
  NoiseSpectrum spectrum() const;

 private:
  std::array<double, 2> pixel_mm_;
  int64_t side_;
  int64_t patches_ = 0;
  at::Tensor trends_;  // orthonormal planes [N^2,3]
  at::Tensor power_;   // sum over patches, [N,N]
};

/// Even side of patches of about 30 mm, from 8 to 64 voxels.
int64_t noise_patch_side(const std::array<double, 2>& pixel_mm);

/// Patches of a slice (HU [H,W]) that lie wholly `inside` (bool [H,W]): [P,side,side] of the
/// slice's type. Corners are multiples of side / 4, so patches overlap, which makes the estimate
/// steadier and leaves its mean as it is. Patches depend on `inside` alone.
at::Tensor noise_patches(const at::Tensor& slice, const at::Tensor& inside, int64_t side);

}  // namespace guidegen
