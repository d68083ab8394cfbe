#pragma once

#include <ATen/ATen.h>

#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// Distance in mm of each voxel's center to that of the nearest voxel that is true; infinity where
/// there is none. `where` bool [D,H,W], `spacing_mm` x,y,z -> float64 [D,H,W]. Exact, by lower
/// envelopes of parabolas along each axis (Felzenszwalb and Huttenlocher, Theory Comput. 8:415,
/// 2012), in time linear in the voxels.
at::Tensor distance_to(const at::Tensor& where, const Vec3& spacing_mm);

}  // namespace guidegen
