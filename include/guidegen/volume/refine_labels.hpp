#pragma once

#include <optional>
#include <vector>

#include "guidegen/volume/volume.hpp"

namespace guidegen {

struct RefineOptions {
  /// Voxels along each axis of the pieces that threads take. The result does not depend on it.
  int64_t tile = 96;
};

/// Pieces (26-neighborhood) of a label before and after, where that differs.
struct ComponentChange {
  int64_t label = 0;
  int64_t before = 0;
  int64_t after = 0;
};

struct RefineReport {
  int64_t moved = 0;      ///< voxels that differ from nearest-neighbor enlargement
  int64_t held_back = 0;  ///< voxels that stay behind the smooth surface to keep the topology
  int64_t passes = 0;     ///< sweeps over the mask until nothing moved
  std::vector<ComponentChange> changes;  ///< only where the target is coarser along some axis
};

/// Mask [1,D,H,W] (uint8 or uint16) onto a finer grid with smooth surfaces. Dtype is kept.
///
/// Each 26-connected piece of the mask keeps its topology: no piece of any label appears, vanishes,
/// splits or merges with another, and neither do cavities (6-connected) or tunnels. Pieces that are
/// 6-connected stay so. This holds for what of the mask the target sees.
///
/// How: every target voxel takes its nearest source voxel's label, which keeps the topology. Where
/// it then wants to be is the piece with the largest smooth membership: the piece's indicator
/// interpolated by a cubic B-spline along axes that become finer (linearly along the others), times
/// a weight of the piece that makes the volume inside its surface what it was; else small and thin
/// pieces would shrink. Voxels move there one by one, only where they are simple points of the
/// label that they leave and of the one that they join, in an order that neither tiles nor threads
/// change.
///
/// `target` has the orientation of the mask; its spacing may differ along each axis and its field
/// of view may be smaller (crop) or larger (label 0). Where it is coarser along an axis, the mask
/// is refined on the finer spacing of both along every axis and the result reduced by
/// resample_mask; pieces may vanish or merge then, which the report tells. Memory: mask and result,
/// 4 bytes a voxel of the mask, the result once more (where voxels want to be), and for each thread
/// a few kB; where coarser along an axis, the finer intermediate too.
///
/// Threads: as many as LibTorch's. Throws Error(kFailure) for another orientation, type or shape,
/// and Error(kUsage) for a tile that is not positive.
Volume refine_labels(const Volume& mask, const ImageGeometry& target,
                     const RefineOptions& options = {}, RefineReport* report = nullptr);

/// Grid with another spacing and the same center and orientation. `size` in x, y, z; without one
/// the field of view is kept, rounded up to whole voxels.
ImageGeometry recentered(const ImageGeometry& geometry, const Vec3& spacing,
                         const std::optional<std::array<int64_t, 3>>& size = {});

}  // namespace guidegen
