#pragma once

#include <array>
#include <cstdint>

namespace guidegen {

using Vec3 = std::array<double, 3>;
using Matrix3 = std::array<std::array<double, 3>, 3>;  ///< [row][column]
using Matrix4 = std::array<std::array<double, 4>, 4>;  ///< [row][column]

/// Where the voxels of an image lie, in millimetres of the RAS+ world (x grows towards the
/// patient's right, y towards anterior, z towards superior), the convention of NIfTI and nibabel.
/// Index order here is x, y, z; tensors are [C,D,H,W] = [C,z,y,x] (see to_dhw / to_xyz).
struct ImageGeometry {
  std::array<int64_t, 3> size{1, 1, 1};  ///< voxels along x, y, z
  Vec3 spacing{1, 1, 1};                 ///< mm
  Vec3 origin{0, 0, 0};                  ///< world position of the centre of voxel (0,0,0)
  Matrix3 direction{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};  ///< column k: unit vector of index axis k

  int64_t voxels() const { return size[0] * size[1] * size[2]; }
  double voxel_ml() const { return spacing[0] * spacing[1] * spacing[2] / 1000.0; }
  Vec3 to_world(const Vec3& index) const;  ///< continuous index -> mm
  /// mm -> continuous index. The axes must be orthogonal, as those of every file that is read are.
  Vec3 to_index(const Vec3& world) const;
  Matrix4 affine() const;  ///< voxel -> world, as nibabel gives it
  bool is_ras() const;     ///< direction is the identity within 1e-3
};

/// Same grid: equal size, spacing, origin and direction within `tolerance` (mm; for directions, of
/// the unit vectors' components).
bool same_geometry(const ImageGeometry& a, const ImageGeometry& b, double tolerance = 1e-3);

/// The two functions that turn x,y,z order into D,H,W order and back.
std::array<int64_t, 3> to_dhw(const std::array<int64_t, 3>& xyz);
std::array<int64_t, 3> to_xyz(const std::array<int64_t, 3>& dhw);

/// A RAS grid of `size` voxels and `spacing` mm centred on the world's origin.
ImageGeometry centered_geometry(const std::array<int64_t, 3>& size, const Vec3& spacing);

}  // namespace guidegen
