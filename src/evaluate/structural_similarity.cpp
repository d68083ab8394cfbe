#include "guidegen/evaluate/structural_similarity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/parallel.hpp"

namespace guidegen {
namespace {

constexpr int64_t kTaps = 2 * kSsimRadius + 1;
constexpr double kSigma = 1.5;

using Weights = std::array<double, kTaps>;

const Weights& gaussian() {
  static const Weights weights = [] {
    Weights values{};
    double sum = 0;
    for (int64_t k = 0; k < kTaps; ++k) {
      const auto x = static_cast<double>(k - kSsimRadius);
      values[static_cast<size_t>(k)] = std::exp(-x * x / (2 * kSigma * kSigma));
      sum += values[static_cast<size_t>(k)];
    }
    for (double& value : values) value /= sum;
    return values;
  }();
  return weights;
}

/// d c b a | a b c d | d c b a, again and again where the image is shorter than the window.
int64_t mirrored(int64_t index, int64_t size) {
  index %= 2 * size;
  if (index < 0) index += 2 * size;
  return index < size ? index : 2 * size - 1 - index;
}

/// out[j] = sum over k of weights[k] * rows[k][j]; a plain loop that compilers vectorize.
void weigh_rows(const std::array<const double*, kTaps>& rows, int64_t count, double* out) {
  const Weights weights = gaussian();
  for (int64_t j = 0; j < count; ++j) {
    double sum = 0;
    for (size_t k = 0; k < kTaps; ++k) sum += weights[k] * rows[k][j];
    out[j] = sum;
  }
}

/// Along the last axis, whose neighbors are shifts of one padded row.
void smooth_row(const double* in, int64_t count, std::vector<double>& padded, double* out) {
  padded.resize(static_cast<size_t>(count + 2 * kSsimRadius));
  for (int64_t i = -kSsimRadius; i < count + kSsimRadius; ++i) {
    padded[static_cast<size_t>(i + kSsimRadius)] = in[mirrored(i, count)];
  }
  std::array<const double*, kTaps> rows{};
  for (size_t k = 0; k < kTaps; ++k) rows[k] = padded.data() + k;
  weigh_rows(rows, count, out);
}

at::Tensor prepared(const at::Tensor& image) {
  return image.detach().to(at::kCPU, at::kDouble).contiguous();
}

/// What SSIM needs of one window: local means of a, b, a^2, b^2 and ab.
using Moments = std::array<at::Tensor, 5>;

at::Tensor similarity(const Moments& m, double range) {
  const double c1 = std::pow(0.01 * range, 2);
  const double c2 = std::pow(0.03 * range, 2);
  const auto& [ma, mb, maa, mbb, mab] = m;
  at::Tensor map = at::empty_like(ma);
  double* out = map.data_ptr<double>();
  std::array<const double*, 5> in{};
  for (size_t k = 0; k < in.size(); ++k) in[k] = m[k].const_data_ptr<double>();
  for (int64_t i = 0; i < map.numel(); ++i) {
    const double a = in[0][i], b = in[1][i];
    const double va = in[2][i] - a * a, vb = in[3][i] - b * b, cab = in[4][i] - a * b;
    out[i] = (2 * a * b + c1) * (2 * cab + c2) / ((a * a + b * b + c1) * (va + vb + c2));
  }
  return map;
}

}  // namespace

at::Tensor smooth_along(const at::Tensor& image, int64_t axis) {
  at::Tensor smoothed = at::empty_like(image);
  const double* in = image.const_data_ptr<double>();
  double* out = smoothed.data_ptr<double>();
  const int64_t count = image.size(axis);
  int64_t inner = 1;  // elements between neighbors along the axis
  for (int64_t k = axis + 1; k < image.dim(); ++k) inner *= image.size(k);
  if (axis == 2) {
    parallel_for(0, image.numel() / std::max<int64_t>(count, 1), 64,
                 [&](int64_t first, int64_t last) {
                   std::vector<double> padded;
                   for (int64_t row = first; row < last; ++row) {
                     smooth_row(in + row * count, count, padded, out + row * count);
                   }
                 });
    return smoothed;
  }
  parallel_for(0, image.numel() / std::max<int64_t>(inner, 1), 16,
               [&](int64_t first, int64_t last) {
                 for (int64_t row = first; row < last; ++row) {
                   const int64_t index = row % count;
                   std::array<const double*, kTaps> rows{};
                   for (int64_t k = 0; k < kTaps; ++k) {
                     const int64_t source = row - index + mirrored(index + k - kSsimRadius, count);
                     rows[static_cast<size_t>(k)] = in + source * inner;
                   }
                   weigh_rows(rows, inner, out + row * inner);
                 }
               });
  return smoothed;
}

SsimMaps ssim_maps(const at::Tensor& a, const at::Tensor& b, double range) {
  if (a.dim() != 3 || a.sizes() != b.sizes() || a.numel() == 0) {
    throw_failure("structural similarity: images of shapes ", a.sizes(), " and ", b.sizes(),
                  ", expected two of one shape [D,H,W]");
  }
  const at::Tensor x = prepared(a);
  const at::Tensor y = prepared(b);
  Moments moments = {x, y, x * x, y * y, x * y};
  for (at::Tensor& moment : moments) moment = smooth_along(smooth_along(moment, 2), 1);
  SsimMaps maps;
  maps.slices = similarity(moments, range);
  for (at::Tensor& moment : moments) moment = smooth_along(moment, 0);
  maps.volume = similarity(moments, range);
  return maps;
}

}  // namespace guidegen
