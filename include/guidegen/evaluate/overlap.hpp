#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// How well two sets of voxels agree. Surfaces are voxels with a face neighbor outside the set (the
/// end of the volume counts as outside), distances lie between voxel centers.
struct Overlap {
  int64_t wanted_voxels = 0;
  int64_t found_voxels = 0;
  /// 2 |A and B| / (|A| + |B|). NaN when both are empty.
  double dice = 0;
  /// Share of the voxels of both surfaces that lie within the tolerance of the other surface. NaN
  /// when both are empty (Nikolov et al., J Med Internet Res 23:e26151, 2021, with voxels in place
  /// of areas).
  double surface_dice = 0;
  /// 95 % Hausdorff distance: the larger of the two 95 % quantiles of the distances from one
  /// surface to the other. NaN when either is empty.
  double hd95_mm = 0;
};

/// `wanted`, `found` bool [D,H,W]; `spacing_mm` x,y,z. Throws Error(kFailure) for unequal shapes.
Overlap overlap_of(const at::Tensor& wanted, const at::Tensor& found, const Vec3& spacing_mm,
                   double tolerance_mm);

}  // namespace guidegen
