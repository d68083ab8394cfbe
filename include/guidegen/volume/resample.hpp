#pragma once

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// CT onto another grid, trilinear, with averaging over the target voxel when it is coarser;
/// `outside` HU beyond the source. Float32.
Volume resample_ct(const Volume& ct, const ImageGeometry& target, float outside = -1024.0F);

/// Mask onto another grid: each target voxel takes the label with the largest interpolated share
/// (nearest neighbour when grids align); 0 outside. Dtype kept.
Volume resample_mask(const Volume& mask, const ImageGeometry& target);

/// Grid of the same field of view, corner and orientation with another spacing; size rounded up.
ImageGeometry respaced(const ImageGeometry& geometry, const Vec3& spacing);

/// Grid with the same spacing and orientation, cropped or padded around the centre to `size` (x,y,z).
ImageGeometry center_cropped_or_padded(const ImageGeometry& geometry,
                                       const std::array<int64_t, 3>& size);

}  // namespace guidegen
