#include "guidegen/volume/resample.hpp"

#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using volume_testing::counting_volume;
using volume_testing::oblique_geometry;
using volume_testing::rotation;

at::Tensor noise_labels(const ImageGeometry& geometry, int64_t labels) {
  const auto dhw = to_dhw(geometry.size);
  auto generator = at::make_generator<at::CPUGeneratorImpl>(7);
  return at::randint(labels, {1, dhw[0], dhw[1], dhw[2]}, generator, at::kByte);
}

/// A volume with value a·x + b·y + c·z + d of the world position, which linear interpolation keeps.
Volume ramp(const ImageGeometry& geometry) {
  const auto dhw = to_dhw(geometry.size);
  Volume volume{at::empty({1, dhw[0], dhw[1], dhw[2]}), geometry};
  float* out = volume.data.data_ptr<float>();
  for (int64_t z = 0; z < dhw[0]; ++z) {
    for (int64_t y = 0; y < dhw[1]; ++y) {
      for (int64_t x = 0; x < dhw[2]; ++x) {
        const Vec3 w = geometry.to_world(
            {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        *out++ = static_cast<float>(3 * w[0] - 2 * w[1] + w[2] + 10);
      }
    }
  }
  return volume;
}

/// Voxels of `target` whose whole surroundings lie inside `source`.
at::Tensor interior(const ImageGeometry& source, const ImageGeometry& target, double margin) {
  const auto dhw = to_dhw(target.size);
  at::Tensor inside = at::zeros({1, dhw[0], dhw[1], dhw[2]}, at::kBool);
  bool* out = inside.data_ptr<bool>();
  for (int64_t z = 0; z < dhw[0]; ++z) {
    for (int64_t y = 0; y < dhw[1]; ++y) {
      for (int64_t x = 0; x < dhw[2]; ++x, ++out) {
        const Vec3 index = source.to_index(target.to_world(
            {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)}));
        *out = true;
        for (size_t k = 0; k < 3; ++k) {
          *out = *out && index[k] >= margin &&
                 index[k] <= static_cast<double>(source.size[k] - 1) - margin;
        }
      }
    }
  }
  return inside;
}

class Identity : public ::testing::TestWithParam<double> {};

TEST_P(Identity, SameGridKeepsEveryValue) {
  const ImageGeometry geometry = oblique_geometry(GetParam());
  Volume ct = counting_volume(geometry);
  ct.data = ct.data * 0.37F - 900.0F;
  EXPECT_TRUE(at::equal(resample_ct(ct, geometry).data, ct.data));
  const Volume mask{noise_labels(geometry, 30), geometry};
  const Volume same = resample_mask(mask, geometry);
  EXPECT_TRUE(at::equal(same.data, mask.data));
  EXPECT_EQ(same.data.scalar_type(), at::kByte);
}

TEST_P(Identity, RoundedAffinesStillCopy) {
  const ImageGeometry geometry = oblique_geometry(GetParam());
  ImageGeometry rounded = geometry;
  for (size_t k = 0; k < 3; ++k) {
    rounded.spacing[k] = static_cast<float>(geometry.spacing[k] * (1 + 1e-7));
    rounded.origin[k] = static_cast<float>(geometry.origin[k] + 1e-5);
    for (double& value : rounded.direction[k]) value = static_cast<float>(value);
  }
  const Volume mask{noise_labels(geometry, 30), geometry};
  EXPECT_TRUE(at::equal(resample_mask(mask, rounded).data, mask.data));
}

TEST_P(Identity, CropAndPadMoveWholeVoxels) {
  const ImageGeometry geometry = oblique_geometry(GetParam());
  const Volume ct = counting_volume(geometry);
  const ImageGeometry cropped = center_cropped_or_padded(geometry, {4, 12, 5});
  const Volume result = resample_ct(ct, cropped, -1024);
  // x: 7 -> 4 drops 1 and 2; y: 9 -> 12 adds 1 and 2; z unchanged.
  const at::Tensor expected = at::constant_pad_nd(ct.data.slice(3, 1, 5), {0, 0, 1, 2}, -1024);
  EXPECT_TRUE(at::equal(result.data, expected));
  const ImageGeometry back = center_cropped_or_padded(cropped, geometry.size);
  EXPECT_TRUE(same_geometry(back, geometry, 1e-9));
}

INSTANTIATE_TEST_SUITE_P(Angles, Identity, ::testing::Values(0.0, 0.05, 0.8));

/// Largest error of resampling the ramp onto `target`, away from the faces.
double ramp_error(const ImageGeometry& source, const ImageGeometry& target) {
  const at::Tensor inside = interior(source, target, 2.0);
  EXPECT_GT(inside.sum().item<int64_t>(), 0);
  const at::Tensor error = (resample_ct(ramp(source), target).data - ramp(target).data).abs();
  return error.masked_select(inside).max().item<double>();
}

TEST(Resample, LinearFunctionsAreKeptOnFinerAndRotatedGrids) {
  ImageGeometry source = oblique_geometry(0.2);
  source.size = {20, 18, 14};
  ImageGeometry rotated = respaced(source, {0.6, 0.6, 0.6});
  rotated.direction = rotation(0.5, -0.2, 0.3);
  EXPECT_LT(ramp_error(source, respaced(source, {0.5, 0.9, 1.1})), 1e-3);
  EXPECT_LT(ramp_error(source, rotated), 1e-3);
}

TEST(Resample, AveragingMovesLinearFunctionsByAnEighthOfAVoxelAtMost) {
  ImageGeometry source = oblique_geometry(0.2);
  source.size = {20, 18, 14};
  const Vec3 gradient{3, -2, 1};
  double bound = 1e-3;
  for (size_t axis = 0; axis < 3; ++axis) {
    double along = 0;
    for (size_t row = 0; row < 3; ++row) along += gradient[row] * source.direction[row][axis];
    bound += std::abs(along) * source.spacing[axis] / 8;
  }
  EXPECT_LT(ramp_error(source, respaced(source, {2.1, 2.7, 6.5})), bound);
  ImageGeometry rotated = respaced(source, {1.7, 1.7, 1.7});
  rotated.direction = rotation(0.5, -0.2, 0.3);
  EXPECT_LT(ramp_error(source, rotated), bound);
}

TEST(Resample, CoarserVoxelsAreExactMeans) {
  ImageGeometry geometry = centered_geometry({12, 8, 6}, {1, 1.5, 2});
  Volume ct = counting_volume(geometry);
  ct.data = ct.data.remainder(17) * 31.0F;
  const Volume coarse = resample_ct(ct, respaced(geometry, {3, 3, 6}));
  const at::Tensor expected = at::avg_pool3d(ct.data, {3, 2, 3});
  EXPECT_EQ(coarse.data.sizes(), expected.sizes());
  EXPECT_LT((coarse.data - expected).abs().max().item<double>(), 1e-3);
}

TEST(Resample, CoarserMasksTakeTheMajority) {
  const ImageGeometry geometry = centered_geometry({4, 2, 2}, {1, 1, 1});
  Volume mask{at::zeros({1, 2, 2, 4}, at::kByte), geometry};
  mask.data.slice(3, 0, 2).fill_(5);
  mask.data[0][0][0][0] = 3;
  mask.data.slice(3, 2, 3).fill_(9);  // half label 9, half background: the smaller label wins
  const Volume coarse = resample_mask(mask, respaced(geometry, {2, 2, 2}));
  EXPECT_TRUE(at::equal(coarse.data.flatten(), at::tensor({5, 0}, at::kByte)));
}

TEST(Resample, MasksAgreeWithTheShareOfEachLabel) {
  // Independent route: every label as its own image through resample_ct, then the largest.
  ImageGeometry source = oblique_geometry(0.1);
  source.size = {14, 13, 12};
  auto blocks = noise_labels(centered_geometry({5, 5, 4}, {1, 1, 1}), 6);
  blocks = blocks.repeat_interleave(3, 1).repeat_interleave(3, 2).repeat_interleave(3, 3);
  const Volume mask{blocks.slice(2, 0, 13).slice(3, 0, 14).contiguous(), source};
  ImageGeometry rotated = respaced(source, {1.3, 1.1, 2.0});
  rotated.direction = rotation(0.3, 0.2, -0.4);
  for (const ImageGeometry& target :
       {respaced(source, {0.7, 0.8, 1.0}), respaced(source, {1.9, 2.3, 7.0}), rotated}) {
    std::vector<at::Tensor> shares;
    for (int64_t label = 0; label < 6; ++label) {
      const Volume one{mask.data.eq(label).to(at::kFloat), source};
      shares.push_back(resample_ct(one, target, label == 0 ? 1.0F : 0.0F).data);
    }
    const at::Tensor stacked = at::stack(shares);
    const at::Tensor result = resample_mask(mask, target).data;
    const at::Tensor own = stacked.gather(0, result.to(at::kLong).unsqueeze(0)).squeeze(0);
    EXPECT_GE((own - std::get<0>(stacked.max(0))).min().item<double>(), -1e-6);
  }
}

TEST(Resample, LargeLabelsKeepTheirDtype) {
  const ImageGeometry geometry = centered_geometry({4, 4, 4}, {1, 1, 1});
  const Volume mask{at::full({1, 4, 4, 4}, 60000, at::kInt), geometry};
  const Volume fine = resample_mask(mask, respaced(geometry, {0.5, 0.5, 0.5}));
  EXPECT_EQ(fine.data.scalar_type(), at::kInt);
  EXPECT_EQ(fine.data.min().item<int>(), 60000);
}

TEST(Resample, OutsideIsAirAndBackground) {
  const ImageGeometry source = centered_geometry({3, 3, 3}, {2, 2, 2});
  const ImageGeometry target = centered_geometry({5, 3, 3}, {2, 2, 2});
  const Volume ct{at::full({1, 3, 3, 3}, 55.0F), source};
  const at::Tensor row = resample_ct(ct, target).data[0][1][1];
  EXPECT_TRUE(at::equal(row, at::tensor({-1024.0F, 55.0F, 55.0F, 55.0F, -1024.0F})));
  const Volume mask{at::full({1, 3, 3, 3}, 4, at::kByte), source};
  EXPECT_TRUE(
      at::equal(resample_mask(mask, target).data[0][1][1], at::tensor({0, 4, 4, 4, 0}, at::kByte)));
}

TEST(Resample, RespacedKeepsTheCornerAndRoundsUp) {
  const ImageGeometry geometry = oblique_geometry(0.4);  // 5.6 x 11.25 x 15 mm
  const ImageGeometry other = respaced(geometry, {1.5, 1.5, 1.5});
  EXPECT_EQ(other.size, (std::array<int64_t, 3>{4, 8, 10}));
  const Vec3 corner = geometry.to_world({-0.5, -0.5, -0.5});
  const Vec3 other_corner = other.to_world({-0.5, -0.5, -0.5});
  for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(other_corner[k], corner[k], 1e-9);
}

}  // namespace
}  // namespace guidegen
