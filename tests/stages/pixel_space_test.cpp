#include "guidegen/stages/pixel_space.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

namespace guidegen {
namespace {

TEST(PixelSpace, FoldsAndUnfoldsEveryHu) {
  const auto geometry = centered_geometry({9, 14, 33}, {2, 3, 4});
  // All whole HU of the range, in any order.
  const auto hu = torch::arange(9 * 14 * 33).remainder(4096).to(at::kFloat).sub(1024);
  const Volume ct{hu.view({1, 33, 14, 9}), geometry};
  const auto folded = fold_pixels(ct);
  EXPECT_EQ(folded.sizes(), (std::vector<int64_t>{1, kPixelChannels, 9, 4, 3}));
  EXPECT_GE(folded.min().item<float>(), -1.0F);
  EXPECT_LE(folded.max().item<float>(), 1.0F);
  const Volume back = unfold_pixels(folded, geometry);
  EXPECT_TRUE(back.data.round().equal(ct.data));
  EXPECT_TRUE(same_geometry(back.geometry, geometry));
}

TEST(PixelSpace, NoiseStaysNoise) {
  // Reordering keeps values: what is drawn in folded space is as independent as before.
  const auto noise = torch::randn({1, kPixelChannels, 2, 2, 2}) * 0.1;
  const auto geometry = centered_geometry({8, 8, 8}, {1, 1, 1});
  const auto hu = unfold_pixels(noise, geometry).data;
  const auto sorted = [](const at::Tensor& x) { return std::get<0>(x.flatten().sort()); };
  EXPECT_TRUE(at::allclose(sorted(hu), sorted(noise * 2047.5 + 1023.5), 1e-4, 1e-2));
}

}  // namespace
}  // namespace guidegen
