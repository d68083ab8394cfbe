#pragma once

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// CT [1,D,H,W] onto another grid, float32. Along each source axis a target voxel averages the
/// source voxels that it overlaps, each by its share, which keeps means (an edge may move by an
/// eighth of a source voxel); where the target is as fine or finer this is trilinear interpolation.
/// Source and target may be oblique to each other (widths are then those of the voxel's shadow on
/// each source axis). `outside` HU where the voxel's centre lies beyond the source's outer faces. A
/// target equal to the source's grid, or cropped from it, keeps every value exactly.
Volume resample_ct(const Volume& ct, const ImageGeometry& target, float outside = -1024.0F);

/// Mask [1,D,H,W] onto another grid: each target voxel takes the label with the largest share of
/// the same weights (the smallest label of equals); 0 outside. Dtype kept (uint8, uint16 or int32).
/// Time and memory do not depend on the number of labels.
Volume resample_mask(const Volume& mask, const ImageGeometry& target);

/// Grid of the same outer corner and orientation with another spacing, whose size is the field of
/// view divided by the spacing, rounded up (a last voxel may reach beyond the old field of view).
/// CT on voxels `factor` times as large along each axis and back on its own grid: what is left of
/// it at a coarse resolution.
Volume coarsened(const Volume& ct, int64_t factor);

ImageGeometry respaced(const ImageGeometry& geometry, const Vec3& spacing);

/// Grid with the same spacing and orientation, cropped or padded around the centre to `size`
/// (x,y,z). Voxels stay on the grid: of an odd difference the larger half goes to the far end.
ImageGeometry center_cropped_or_padded(const ImageGeometry& geometry,
                                       const std::array<int64_t, 3>& size);

}  // namespace guidegen
