#include "guidegen/stages/pixel_space.hpp"

#include <ATen/ATen.h>

#include "guidegen/nn/blocks.hpp"
#include "guidegen/volume/exposure.hpp"

namespace guidegen {
namespace {

constexpr int64_t kFactor = 4;
constexpr double kMiddleHu = 0.5 * (kMinHu + kMaxHu);
constexpr double kHalfRangeHu = 0.5 * (kMaxHu - kMinHu);

}  // namespace

at::Tensor fold_pixels(const Volume& ct) {
  const auto hu =
      pad_to_multiple(ct.data.to(at::kFloat).clamp(kMinHu, kMaxHu).unsqueeze(0), kFactor, kMinHu);
  return space_to_depth((hu - kMiddleHu) / kHalfRangeHu, kFactor);
}

Volume unfold_pixels(const at::Tensor& folded, const ImageGeometry& geometry) {
  const auto size = to_dhw(geometry.size);
  const auto hu =
      (depth_to_space(folded.to(at::kCPU, at::kFloat), kFactor) * kHalfRangeHu + kMiddleHu)
          .clamp(kMinHu, kMaxHu);
  return {hu[0].slice(1, 0, size[0]).slice(2, 0, size[1]).slice(3, 0, size[2]).contiguous(),
          geometry};
}

}  // namespace guidegen
