#include "guidegen/volume/geometry.hpp"

#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using volume_testing::oblique_geometry;

TEST(Geometry, IndexAndWorldAreInverse) {
  const ImageGeometry geometry = oblique_geometry(0.4);
  const Vec3 index{2.25, -1.5, 3.75};
  const Vec3 back = geometry.to_index(geometry.to_world(index));
  for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(back[k], index[k], 1e-12);
}

TEST(Geometry, AffineMapsLikeToWorld) {
  const ImageGeometry geometry = oblique_geometry(-0.9);
  const Matrix4 affine = geometry.affine();
  const Vec3 index{3, 4, 2};
  const Vec3 world = geometry.to_world(index);
  for (size_t row = 0; row < 3; ++row) {
    double sum = affine[row][3];
    for (size_t k = 0; k < 3; ++k) sum += affine[row][k] * index[k];
    EXPECT_NEAR(sum, world[row], 1e-12);
  }
  EXPECT_EQ(affine[3], (std::array<double, 4>{0, 0, 0, 1}));
}

TEST(Geometry, DhwReversesXyz) {
  EXPECT_EQ(to_dhw({1, 2, 3}), (std::array<int64_t, 3>{3, 2, 1}));
  EXPECT_EQ(to_xyz(to_dhw({4, 5, 6})), (std::array<int64_t, 3>{4, 5, 6}));
}

TEST(Geometry, CenteredGridIsSymmetricAboutTheOrigin) {
  const ImageGeometry geometry = centered_geometry({64, 5, 80}, {6, 2, 1.5});
  const Vec3 first = geometry.to_world({0, 0, 0});
  const Vec3 last = geometry.to_world({63, 4, 79});
  for (size_t k = 0; k < 3; ++k) EXPECT_DOUBLE_EQ(first[k], -last[k]);
  EXPECT_TRUE(geometry.is_ras());
  EXPECT_DOUBLE_EQ(geometry.voxel_ml(), 0.018);
}

TEST(Geometry, SameGeometrySeesEveryField) {
  const ImageGeometry base = oblique_geometry(0.2);
  EXPECT_TRUE(same_geometry(base, base));
  ImageGeometry other = base;
  other.size[1] += 1;
  EXPECT_FALSE(same_geometry(base, other));
  other = base;
  other.spacing[2] += 0.01;
  EXPECT_FALSE(same_geometry(base, other));
  other = base;
  other.origin[0] += 0.01;
  EXPECT_FALSE(same_geometry(base, other));
  other.origin[0] = base.origin[0] + 1e-4;
  EXPECT_TRUE(same_geometry(base, other));
  EXPECT_FALSE(same_geometry(base, oblique_geometry(0.21)));
}

}  // namespace
}  // namespace guidegen
