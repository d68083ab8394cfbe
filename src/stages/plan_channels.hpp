#pragma once

#include "guidegen/stages/tumor_plan.hpp"

namespace guidegen {

inline constexpr int64_t kMaskFactor = 2;  ///< space-to-depth of the synthesizer

/// What the synthesizer sees of a plan at half resolution: rasterize_plan, then the coordinates of
/// each voxel in units of 200 mm from the center of the field of view, as convolutions alone know
/// places only near the border. [1,9,D/2,H/2,W/2] float32, sizes rounded up.
at::Tensor plan_with_coordinates(const TumorPlan& plan, const ImageGeometry& geometry);

/// plan_log_odds on sizes made even, [1,D,H,W].
at::Tensor padded_log_odds(const TumorPlan& plan, const ImageGeometry& geometry);

}  // namespace guidegen
