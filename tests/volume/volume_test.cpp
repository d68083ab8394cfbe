#include "guidegen/volume/volume.hpp"

#include <algorithm>

#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using volume_testing::counting_volume;
using volume_testing::message_of;
using volume_testing::oblique_geometry;

/// Index of the voxel of `volume` nearest to a world position, and its value.
float value_at(const Volume& volume, const Vec3& world) {
  const Vec3 index = volume.geometry.to_index(world);
  std::array<int64_t, 3> at{};
  for (size_t k = 0; k < 3; ++k) {
    at[k] = std::lround(index[k]);
    EXPECT_NEAR(index[k], static_cast<double>(at[k]), 1e-6);
  }
  return volume.data[0][at[2]][at[1]][at[0]].item<float>();
}

/// All 48 ways to permute and flip the axes of an oblique grid.
class Reorient : public ::testing::TestWithParam<int> {};

TEST_P(Reorient, EveryVoxelKeepsItsPlaceInTheWorld) {
  std::array<size_t, 3> order{0, 1, 2};
  for (int k = 0; k < GetParam() / 8; ++k) std::next_permutation(order.begin(), order.end());
  const ImageGeometry upright = oblique_geometry(0.15);
  ImageGeometry turned = upright;
  for (size_t axis = 0; axis < 3; ++axis) {
    const double sign = (GetParam() >> axis) & 1 ? -1 : 1;
    turned.size[axis] = upright.size[order[axis]];
    turned.spacing[axis] = upright.spacing[order[axis]];
    for (size_t row = 0; row < 3; ++row) {
      turned.direction[row][axis] = sign * upright.direction[row][order[axis]];
    }
  }
  const Volume before = counting_volume(turned);
  const Volume after = reorient_ras(before);
  EXPECT_TRUE(after.data.is_contiguous());
  EXPECT_EQ(after.geometry.size, upright.size);
  EXPECT_EQ(after.geometry.spacing, upright.spacing);
  for (size_t k = 0; k < 3; ++k) EXPECT_GT(after.geometry.direction[k][k], 0.9);
  for (int64_t z = 0; z < turned.size[2]; ++z) {
    for (int64_t y = 0; y < turned.size[1]; ++y) {
      for (int64_t x = 0; x < turned.size[0]; ++x) {
        const Vec3 index{static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)};
        const float expected = before.data[0][z][y][x].item<float>();
        ASSERT_EQ(value_at(after, turned.to_world(index)), expected);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllOrientations, Reorient, ::testing::Range(0, 48));

TEST(Volume, ReorientingAtFortyFiveDegreesUsesEveryAxisOnce) {
  ImageGeometry geometry = oblique_geometry(0);
  geometry.direction = volume_testing::rotation(0, 0, std::acos(-1.0) / 4);
  const Volume after = reorient_ras(counting_volume(geometry));
  std::array<int64_t, 3> sizes = after.geometry.size;
  std::sort(sizes.begin(), sizes.end());
  EXPECT_EQ(sizes, (std::array<int64_t, 3>{5, 7, 9}));
}

TEST(Volume, CheckNamesTheShapes) {
  Volume volume = counting_volume(oblique_geometry(0));
  check_volume(volume, "scan");
  volume.geometry.size = {9, 7, 5};
  EXPECT_THAT(message_of([&] { check_volume(volume, "scan"); }),
              ::testing::AllOf(::testing::StartsWith("scan: "), ::testing::HasSubstr("[5, 7, 9]")));
  volume.data = at::zeros({5, 9, 7});
  EXPECT_THAT(message_of([&] { check_volume(volume, "scan"); }), ::testing::HasSubstr("[C,D,H,W]"));
}

}  // namespace
}  // namespace guidegen
