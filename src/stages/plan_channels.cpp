#include "stages/plan_channels.hpp"

#include <torch/torch.h>

#include "guidegen/nn/blocks.hpp"

namespace guidegen {

namespace {

at::Tensor coordinate_channels(const ImageGeometry& geometry) {
  std::vector<at::Tensor> axes;
  for (const size_t axis : {2U, 1U, 0U}) {
    const int64_t n = (geometry.size[axis] + kMaskFactor - 1) / kMaskFactor;
    axes.push_back((torch::arange(n) - 0.5 * double(n - 1)) *
                   (geometry.spacing[axis] * kMaskFactor) / 200.0);
  }
  const auto grid = torch::meshgrid(axes, "ij");
  return torch::stack({grid[0], grid[1], grid[2]}).unsqueeze(0);
}

}  // namespace

at::Tensor plan_with_coordinates(const TumorPlan& plan, const ImageGeometry& geometry) {
  return torch::cat(
      {rasterize_plan(plan, geometry, kMaskFactor).unsqueeze(0), coordinate_channels(geometry)}, 1);
}

at::Tensor padded_log_odds(const TumorPlan& plan, const ImageGeometry& geometry) {
  return pad_to_multiple(plan_log_odds(plan, geometry).unsqueeze(0), kMaskFactor, -kMaxPlanLogOdds);
}

}  // namespace guidegen
