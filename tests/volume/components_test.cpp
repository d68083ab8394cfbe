#include "guidegen/volume/components.hpp"

#include <numbers>

#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

Volume empty_mask(const std::array<int64_t, 3>& size, const Vec3& spacing = {1, 1, 1}) {
  const auto dhw = to_dhw(size);
  return {at::zeros({1, dhw[0], dhw[1], dhw[2]}, at::kByte), centered_geometry(size, spacing)};
}

void set(Volume& mask, int64_t x, int64_t y, int64_t z, int label) {
  mask.data[0][z][y][x] = label;
}

TEST(Components, LargestFirstWithMeasures) {
  Volume mask = empty_mask({10, 8, 6}, {2, 3, 4});
  set(mask, 0, 0, 0, 7);
  for (int64_t x = 4; x <= 6; ++x) set(mask, x, 5, 2, 7);
  set(mask, 9, 7, 5, 3);  // another label
  at::Tensor ids;
  const auto pieces = find_components(mask, 7, &ids);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].voxels, 3);
  EXPECT_DOUBLE_EQ(pieces[0].volume_ml, 3 * 24 / 1000.0);
  EXPECT_NEAR(std::numbers::pi / 6 * std::pow(pieces[0].diameter_mm, 3), 72, 1e-9);
  EXPECT_EQ(pieces[0].centroid_index, (Vec3{5, 5, 2}));
  EXPECT_EQ(pieces[0].centroid_mm, mask.geometry.to_world({5, 5, 2}));
  EXPECT_EQ(pieces[0].bounds, (std::array<int64_t, 6>{4, 6, 5, 5, 2, 2}));
  EXPECT_EQ(pieces[1].bounds, (std::array<int64_t, 6>{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ids.sizes(), (at::IntArrayRef{6, 8, 10}));
  EXPECT_EQ(ids[2][5][4].item<int>(), 1);
  EXPECT_EQ(ids[0][0][0].item<int>(), 2);
  EXPECT_EQ(ids.count_nonzero().item<int64_t>(), 4);
}

TEST(Components, CornersConnectButGapsDoNot) {
  Volume mask = empty_mask({4, 4, 4});
  set(mask, 0, 0, 0, 1);
  set(mask, 1, 1, 1, 1);
  set(mask, 3, 3, 3, 1);
  const auto pieces = find_components(mask, 1);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].voxels, 2);
}

TEST(Components, EqualSizesComeInOrderOfPosition) {
  Volume mask = empty_mask({9, 1, 3});
  for (const int64_t z : {2, 0}) {
    for (const int64_t x : {8, 4, 0}) set(mask, x, 0, z, 1);
  }
  const auto pieces = find_components(mask, 1);
  ASSERT_EQ(pieces.size(), 6U);
  for (size_t k = 0; k < 6; ++k) {
    EXPECT_EQ(pieces[k].centroid_index,
              (Vec3{4.0 * static_cast<double>(k % 3), 0, k < 3 ? 0.0 : 2.0}));
  }
}

TEST(Components, LateJoiningArmsAreOnePiece) {
  // A "U" whose arms meet only in the last row: the classic trap of two-pass labelling.
  Volume mask = empty_mask({5, 5, 1});
  for (int64_t y = 0; y < 5; ++y) {
    set(mask, 0, y, 0, 1);
    set(mask, 4, y, 0, 1);
  }
  for (int64_t x = 0; x < 5; ++x) set(mask, x, 4, 0, 1);
  ASSERT_EQ(find_components(mask, 1).size(), 1U);
}

TEST(Components, AbsentLabelGivesNoneAndZeroIds) {
  at::Tensor ids;
  EXPECT_TRUE(find_components(empty_mask({3, 2, 1}), 5, &ids).empty());
  EXPECT_EQ(ids.sizes(), (at::IntArrayRef{1, 2, 3}));
  EXPECT_EQ(ids.count_nonzero().item<int64_t>(), 0);
}

}  // namespace
}  // namespace guidegen
