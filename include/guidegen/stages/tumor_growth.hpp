#pragma once

#include "guidegen/stages/tumor_plan.hpp"

namespace guidegen {

/// Turns a plan into voxels: every planned tumor becomes one connected piece of its planned volume
/// (at least two voxels), grown from its center over the voxels of highest `score`, never touching
/// another piece. Taking each voxel's most likely label by itself would lose small tumors, whose
/// voxels are each in doubt though together they are certain, and join neighbors.
/// `mask`: labels [D,H,W] without tumors, changed in place. `score`: float32 [D,H,W] on the CPU,
/// log odds of tumor. `blocked`, when defined, is bool [D,H,W]: voxels that stay as they are.
/// Given tumors are not grown; planned tumors that find no free voxel are left out.
void grow_tumors(at::Tensor& mask, const at::Tensor& score, const at::Tensor& blocked,
                 const TumorPlan& plan, const ImageGeometry& geometry, int64_t tumor);

}  // namespace guidegen
