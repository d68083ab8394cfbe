#include "guidegen/evaluate/noise_power.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr double kPatchMm = 30;

/// Constant, slope along y and slope along x: orthogonal on a square grid, scaled to length 1.
at::Tensor planes(int64_t side) {
  const at::Tensor ramp = at::arange(side, at::kDouble) - static_cast<double>(side - 1) / 2;
  const at::Tensor ones = at::ones({side, side}, at::kDouble);
  const at::Tensor all =
      at::stack({ones, ramp.view({-1, 1}) * ones, ramp.view({1, -1}) * ones}, -1);
  const at::Tensor columns = all.view({-1, 3});
  return columns / columns.square().sum(0, /*keepdim=*/true).sqrt();
}

/// Frequency of index k of a DFT of `side` samples, `step` mm apart, without its sign.
double frequency(int64_t k, int64_t side, double step) {
  return static_cast<double>(std::min(k, side - k)) / (static_cast<double>(side) * step);
}

}  // namespace

NoisePower::NoisePower(const std::array<double, 2>& pixel_mm, int64_t side)
    : pixel_mm_(pixel_mm),
      side_(side),
      trends_(planes(side)),
      power_(at::zeros({side, side}, at::kDouble)) {}

void NoisePower::add(const at::Tensor& patches) {
  if (patches.dim() != 3 || patches.size(1) != side_ || patches.size(2) != side_) {
    throw_failure("noise power: patches of shape ", patches.sizes(), ", expected [P,", side_, ",",
                  side_, "]");
  }
  if (patches.size(0) == 0) return;
  const at::Tensor flat = patches.to(at::kDouble).flatten(1);
  const at::Tensor residual = flat - flat.matmul(trends_).matmul(trends_.t());
  const at::Tensor transformed = at::fft_fft2(residual.view({-1, side_, side_}));
  const auto samples = static_cast<double>(side_ * side_);
  power_ += transformed.abs().square().sum(0) * (pixel_mm_[0] * pixel_mm_[1] / samples);
  patches_ += patches.size(0);
}

NoiseSpectrum NoisePower::spectrum() const {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  NoiseSpectrum spectrum{patches_, {}, {}, kNaN, kNaN};
  if (patches_ == 0) return spectrum;
  const at::Tensor mean = power_ / static_cast<double>(patches_);
  const auto at = mean.accessor<double, 2>();
  const double step =
      1 / (static_cast<double>(side_) * std::max(pixel_mm_[0], pixel_mm_[1]));  // of the bins
  std::vector<double> sums(static_cast<size_t>(side_ / 2 + 1));
  std::vector<double> counts(sums.size());
  for (int64_t v = 0; v < side_; ++v) {
    for (int64_t u = 0; u < side_; ++u) {
      const double radius =
          std::hypot(frequency(u, side_, pixel_mm_[0]), frequency(v, side_, pixel_mm_[1]));
      const auto bin = static_cast<size_t>(std::lround(radius / step));
      if (bin >= sums.size()) continue;  // the corners beyond Nyquist's frequency
      sums[bin] += at[v][u];
      counts[bin] += 1;
    }
  }
  double weighted = 0;
  double total = 0;
  for (size_t bin = 0; bin < sums.size(); ++bin) {
    spectrum.frequency_per_mm.push_back(static_cast<double>(bin) * step);
    spectrum.power.push_back(sums[bin] / counts[bin]);
    weighted += spectrum.frequency_per_mm.back() * spectrum.power.back();
    total += spectrum.power.back();
  }
  const double area = static_cast<double>(side_ * side_) * pixel_mm_[0] * pixel_mm_[1];
  spectrum.variance = mean.sum().item<double>() / area;  // du dv = 1 / area
  spectrum.mean_frequency_per_mm = weighted / total;     // NaN of an image without noise
  return spectrum;
}

int64_t noise_patch_side(const std::array<double, 2>& pixel_mm) {
  const double voxels = kPatchMm / std::max(pixel_mm[0], pixel_mm[1]);
  return std::clamp<int64_t>(2 * std::lround(voxels / 2), 8, 64);
}

at::Tensor noise_patches(const at::Tensor& slice, const at::Tensor& inside, int64_t side) {
  if (slice.size(0) < side || slice.size(1) < side)
    return at::empty({0, side, side}, slice.options());
  const int64_t step = std::max<int64_t>(side / 4, 1);
  const auto cut = [&](const at::Tensor& image) {
    return image.unfold(0, side, step).unfold(1, side, step);  // [ny,nx,side,side], a view
  };
  const at::Tensor whole = cut(inside).flatten(2).all(-1);
  return cut(slice).index({whole});
}

}  // namespace guidegen
