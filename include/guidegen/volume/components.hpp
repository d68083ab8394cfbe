#pragma once

#include <array>
#include <vector>

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// One connected piece of a mask.
struct Component {
  int64_t voxels = 0;
  double volume_ml = 0;
  double diameter_mm = 0;           ///< of the ball of the same volume
  Vec3 centroid_index{};            ///< x, y, z, continuous voxel index
  Vec3 centroid_mm{};               ///< world, RAS
  std::array<int64_t, 6> bounds{};  ///< x0,x1,y0,y1,z0,z1, inclusive
};

/// Pieces of the voxels equal to `label` under 26-neighbourhood, largest first (equal sizes: the
/// one whose first voxel in z, y, x order comes first). Throws Error(kFailure) unless mask is
/// [1,D,H,W]. `ids`, when given, receives an int32 [D,H,W] tensor: 0, or 1 + index into the result.
std::vector<Component> find_components(const Volume& mask, int label, at::Tensor* ids = nullptr);

}  // namespace guidegen
