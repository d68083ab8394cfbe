#include "guidegen/volume/geometry.hpp"

#include <cmath>

namespace guidegen {

Vec3 ImageGeometry::to_world(const Vec3& index) const {
  Vec3 world = origin;
  for (size_t row = 0; row < 3; ++row) {
    for (size_t axis = 0; axis < 3; ++axis) {
      world[row] += direction[row][axis] * spacing[axis] * index[axis];
    }
  }
  return world;
}

Vec3 ImageGeometry::to_index(const Vec3& world) const {
  // The columns are orthonormal, so the inverse of the direction is its transpose.
  Vec3 index{};
  for (size_t axis = 0; axis < 3; ++axis) {
    for (size_t row = 0; row < 3; ++row) {
      index[axis] += direction[row][axis] * (world[row] - origin[row]);
    }
    index[axis] /= spacing[axis];
  }
  return index;
}

Matrix4 ImageGeometry::affine() const {
  Matrix4 affine{};
  for (size_t row = 0; row < 3; ++row) {
    for (size_t axis = 0; axis < 3; ++axis) {
      affine[row][axis] = direction[row][axis] * spacing[axis];
    }
    affine[row][3] = origin[row];
  }
  affine[3][3] = 1;
  return affine;
}

bool ImageGeometry::is_ras() const {
  for (size_t row = 0; row < 3; ++row) {
    for (size_t axis = 0; axis < 3; ++axis) {
      if (std::abs(direction[row][axis] - (row == axis ? 1.0 : 0.0)) > 1e-3) return false;
    }
  }
  return true;
}

bool same_geometry(const ImageGeometry& a, const ImageGeometry& b, double tolerance) {
  if (a.size != b.size) return false;
  for (size_t k = 0; k < 3; ++k) {
    if (std::abs(a.spacing[k] - b.spacing[k]) > tolerance) return false;
    if (std::abs(a.origin[k] - b.origin[k]) > tolerance) return false;
    for (size_t axis = 0; axis < 3; ++axis) {
      if (std::abs(a.direction[k][axis] - b.direction[k][axis]) > tolerance) return false;
    }
  }
  return true;
}

std::array<int64_t, 3> to_dhw(const std::array<int64_t, 3>& xyz) {
  return {xyz[2], xyz[1], xyz[0]};
}

std::array<int64_t, 3> to_xyz(const std::array<int64_t, 3>& dhw) {
  return {dhw[2], dhw[1], dhw[0]};
}

ImageGeometry centered_geometry(const std::array<int64_t, 3>& size, const Vec3& spacing) {
  ImageGeometry geometry;
  geometry.size = size;
  geometry.spacing = spacing;
  for (size_t axis = 0; axis < 3; ++axis) {
    geometry.origin[axis] = -0.5 * static_cast<double>(size[axis] - 1) * spacing[axis];
  }
  return geometry;
}

}  // namespace guidegen
