#include <algorithm>
#include <cmath>
#include <vector>

#include "guidegen/data/prepare.hpp"
#include "guidegen/volume/components.hpp"

namespace guidegen {
namespace {

constexpr float kSkinHu = -300;   // between air with partial volume and fat (about -100)
constexpr double kOpeningMm = 4;  // half of what the opening removes: table tops, wires

/// Grows a binary slice [H,W] by a box of `reach_y`, `reach_x` voxels. Float in and out.
at::Tensor grow(const at::Tensor& slice, int64_t reach_y, int64_t reach_x) {
  return at::max_pool2d(slice.unsqueeze(0), {2 * reach_y + 1, 2 * reach_x + 1}, {1, 1},
                        {reach_y, reach_x})
      .squeeze(0);
}

/// Removes what is thinner than the box; beyond the border counts as tissue, so that a body cut by
/// the field of view does not shrink there (max_pool pads with minus infinity).
at::Tensor open_slice(const at::Tensor& tissue, int64_t reach_y, int64_t reach_x) {
  const at::Tensor eroded = 1 - grow(1 - tissue, reach_y, reach_x);
  return grow(eroded, reach_y, reach_x).mul(tissue);
}

/// Sets every 0 of a slice that no path of 0s (4-neighborhood) joins to the border.
void fill_holes(uint8_t* slice, int64_t height, int64_t width) {
  constexpr uint8_t kOutside = 2;
  std::vector<int64_t> open;
  const auto visit = [&](int64_t y, int64_t x) {
    if (y < 0 || y >= height || x < 0 || x >= width || slice[y * width + x] != 0) return;
    slice[y * width + x] = kOutside;
    open.push_back(y * width + x);
  };
  for (int64_t x = 0; x < width; ++x) {
    visit(0, x);
    visit(height - 1, x);
  }
  for (int64_t y = 0; y < height; ++y) {
    visit(y, 0);
    visit(y, width - 1);
  }
  while (!open.empty()) {
    const int64_t y = open.back() / width;
    const int64_t x = open.back() % width;
    open.pop_back();
    visit(y - 1, x);
    visit(y + 1, x);
    visit(y, x - 1);
    visit(y, x + 1);
  }
  std::transform(slice, slice + height * width, slice,
                 [](uint8_t value) { return static_cast<uint8_t>(value == kOutside ? 0 : 1); });
}

}  // namespace

at::Tensor body_envelope(const Volume& ct) {
  const at::Tensor tissue = ct.data[0].gt(kSkinHu);
  Volume opened{at::zeros_like(tissue, at::kByte).unsqueeze(0), ct.geometry};
  const auto reach = [&](size_t axis) {
    return std::max<int64_t>(1, std::llround(kOpeningMm / ct.geometry.spacing[axis]));
  };
  for (int64_t z = 0; z < tissue.size(0); ++z) {
    opened.data[0][z].copy_(open_slice(tissue[z].to(at::kFloat), reach(1), reach(0)));
  }
  at::Tensor ids;
  find_components(opened, 1, &ids);
  at::Tensor envelope = ids.eq(1).to(at::kByte).contiguous();
  const int64_t slice_size = envelope.size(1) * envelope.size(2);
  for (int64_t z = 0; z < envelope.size(0); ++z) {
    fill_holes(envelope.data_ptr<uint8_t>() + z * slice_size, envelope.size(1), envelope.size(2));
  }
  return envelope.to(at::kBool);
}

}  // namespace guidegen
