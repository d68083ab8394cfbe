#include "guidegen/evaluate/structural_similarity.hpp"

#include <gtest/gtest.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {
namespace {

at::Tensor noise(const std::vector<int64_t>& shape, const char* purpose) {
  at::Tensor image = at::empty(shape);
  RandomStream(1, "ssim", purpose).fill_uniform(image.data_ptr<float>(), image.numel());
  return image.to(at::kDouble);
}

TEST(StructuralSimilarity, IsOneForEqualImages) {
  const at::Tensor image = noise({7, 12, 15}, "equal") * 400;
  const SsimMaps maps = ssim_maps(image, image, 400);
  EXPECT_TRUE(at::allclose(maps.volume, at::ones_like(image), 0, 1e-12));
  EXPECT_TRUE(at::allclose(maps.slices, at::ones_like(image), 0, 1e-12));
}

TEST(StructuralSimilarity, OfConstantsIsTheTermOfTheMeans) {
  const at::Tensor a = at::full({3, 12, 12}, 100.0, at::kDouble);
  const at::Tensor b = at::full({3, 12, 12}, 140.0, at::kDouble);
  const double c1 = 16;  // (0.01 * 400)^2
  const double expected = (2 * 100 * 140 + c1) / (100 * 100 + 140 * 140 + c1);
  const SsimMaps maps = ssim_maps(a, b, 400);
  EXPECT_NEAR(maps.volume.min().item<double>(), expected, 1e-9);
  EXPECT_NEAR(maps.slices.max().item<double>(), expected, 1e-9);
}

// One voxel by the formula itself, with the weights written out.
TEST(StructuralSimilarity, FollowsTheFormulaInTheMiddleOfAVolume) {
  const at::Tensor a = noise({11, 11, 11}, "a") * 100;
  const at::Tensor b = noise({11, 11, 11}, "b") * 50 + a / 2;
  const at::Tensor x = at::arange(11, at::kDouble) - 5;
  at::Tensor line = (-x.square() / 4.5).exp();
  line = line / line.sum();
  const at::Tensor weights = line.view({11, 1, 1}) * line.view({1, 11, 1}) * line.view({1, 1, 11});
  const auto mean = [&](const at::Tensor& values) {
    return (weights * values).sum().item<double>();
  };
  const double ma = mean(a), mb = mean(b);
  const double va = mean((a - ma).square()), vb = mean((b - mb).square());
  const double cab = mean((a - ma) * (b - mb));
  const double c1 = 1, c2 = 9;
  const double expected =
      (2 * ma * mb + c1) * (2 * cab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
  EXPECT_NEAR(ssim_maps(a, b, 100).volume[5][5][5].item<double>(), expected, 1e-12);
}

TEST(StructuralSimilarity, SlicesDoNotSeeEachOther) {
  const at::Tensor a = noise({4, 13, 12}, "a");
  const at::Tensor b = noise({4, 13, 12}, "b");
  const at::Tensor alone = ssim_maps(a.narrow(0, 2, 1), b.narrow(0, 2, 1), 1).slices;
  EXPECT_TRUE(at::equal(ssim_maps(a, b, 1).slices.narrow(0, 2, 1), alone));
}

TEST(StructuralSimilarity, MirrorsEdgesEvenOfImagesShorterThanItsWindow) {
  const at::Tensor row = noise({1, 1, 3}, "short");
  const at::Tensor mirrored = at::cat({row, row.flip(2)}, 2).repeat({1, 1, 5});  // abccbaabccba…
  const at::Tensor inner = smooth_along(mirrored, 2).narrow(2, 12, 3);
  EXPECT_TRUE(at::allclose(smooth_along(row, 2), inner, 0, 1e-15));
}

TEST(StructuralSimilarity, RefusesOtherShapes) {
  const at::Tensor image = at::zeros({2, 3, 4});
  EXPECT_THROW(ssim_maps(image, at::zeros({2, 4, 3}), 1), Error);
  EXPECT_THROW(ssim_maps(image[0], image[0], 1), Error);
}

}  // namespace
}  // namespace guidegen
