#include "guidegen/stages/tumor_plan.hpp"

#include <cmath>

#include <ATen/ATen.h>

namespace guidegen {

Vec3 center_of(const ImageGeometry& geometry) {
  Vec3 middle{};
  for (size_t axis = 0; axis < 3; ++axis) middle[axis] = 0.5 * double(geometry.size[axis] - 1);
  return geometry.to_world(middle);
}

TumorPlan plan_of(const std::vector<FoundTumor>& tumors, const ImageGeometry& geometry) {
  const Vec3 center = center_of(geometry);
  TumorPlan plan;
  for (const auto& found : tumors) {
    if (!found.organ || !found.position) continue;
    PlannedTumor planned{*found.organ, *found.position, {}, found.component.diameter_mm};
    for (size_t axis = 0; axis < 3; ++axis) {
      planned.center_mm[axis] = found.component.centroid_mm[axis] - center[axis];
    }
    plan.push_back(planned);
  }
  return plan;
}

bool has_room(const PlannedTumor& tumor, const TumorPlan& others, const ImageGeometry& geometry) {
  const double gap =
      2.0 * std::max({geometry.spacing[0], geometry.spacing[1], geometry.spacing[2]});
  for (size_t axis = 0; axis < 3; ++axis) {
    const double half = 0.5 * geometry.spacing[axis] * double(geometry.size[axis]);
    if (std::abs(tumor.center_mm[axis]) + 0.5 * tumor.diameter_mm > half) return false;
  }
  for (const auto& other : others) {
    double squared = 0;
    for (size_t axis = 0; axis < 3; ++axis) {
      squared += std::pow(tumor.center_mm[axis] - other.center_mm[axis], 2);
    }
    if (std::sqrt(squared) < 0.5 * (tumor.diameter_mm + other.diameter_mm) + gap) return false;
  }
  return true;
}

namespace {

// Paints one tumor into `balls` (its organ's channel) and `halo`, both [D,H,W] on a grid of
// `spacing` mm whose voxel (0,0,0) has its center at `first` mm.
void paint_tumor(const PlannedTumor& tumor, const Vec3& first, const Vec3& spacing,
                 const std::array<int64_t, 3>& size, float* balls, float* halo) {
  const double radius = 0.5 * tumor.diameter_mm;
  const double edge = 0.15 * (spacing[0] + spacing[1] + spacing[2]) / 3.0;
  const double reach = 4.0 * (radius + edge);
  std::array<int64_t, 3> low{}, high{};
  for (size_t axis = 0; axis < 3; ++axis) {
    const double middle = (tumor.center_mm[axis] - first[axis]) / spacing[axis];
    const double extent = reach / spacing[axis];
    low[axis] = std::clamp<int64_t>(int64_t(std::floor(middle - extent)), 0, size[axis]);
    high[axis] = std::clamp<int64_t>(int64_t(std::ceil(middle + extent)) + 1, 0, size[axis]);
  }
  for (int64_t z = low[2]; z < high[2]; ++z) {
    for (int64_t y = low[1]; y < high[1]; ++y) {
      for (int64_t x = low[0]; x < high[0]; ++x) {
        const double dx = first[0] + double(x) * spacing[0] - tumor.center_mm[0];
        const double dy = first[1] + double(y) * spacing[1] - tumor.center_mm[1];
        const double dz = first[2] + double(z) * spacing[2] - tumor.center_mm[2];
        const double distance = std::sqrt(dx * dx + dy * dy + dz * dz);
        const auto at = static_cast<size_t>((z * size[1] + y) * size[0] + x);
        const auto ball = static_cast<float>(1.0 / (1.0 + std::exp((distance - radius) / edge)));
        const auto glow = static_cast<float>(std::exp(-distance / (radius + edge)));
        balls[at] = std::max(balls[at], ball);
        halo[at] = std::max(halo[at], glow);
      }
    }
  }
}

}  // namespace

at::Tensor rasterize_plan(const TumorPlan& plan, const ImageGeometry& geometry, int64_t factor) {
  std::array<int64_t, 3> size{};
  Vec3 spacing{}, first{};
  for (size_t axis = 0; axis < 3; ++axis) {
    size[axis] = (geometry.size[axis] + factor - 1) / factor;
    spacing[axis] = geometry.spacing[axis] * double(factor);
    // Coarse voxel 0 covers fine voxels 0 … factor-1.
    first[axis] =
        geometry.spacing[axis] * (0.5 * double(factor - 1) - 0.5 * double(geometry.size[axis] - 1));
  }
  auto raster = at::zeros({kPlanChannels, size[2], size[1], size[0]}, at::kFloat);
  const int64_t stride = size[0] * size[1] * size[2];
  auto* data = raster.data_ptr<float>();
  for (const auto& tumor : plan) {
    paint_tumor(tumor, first, spacing, size, data + static_cast<int64_t>(tumor.organ) * stride,
                data + (kPlanChannels - 1) * stride);
  }
  return raster;
}

at::Tensor plan_log_odds(const TumorPlan& plan, const ImageGeometry& geometry) {
  constexpr double kSlope = 0.13;
  const auto dhw = to_dhw(geometry.size);
  auto odds = at::full(dhw, -kMaxPlanLogOdds, at::kFloat);
  if (plan.empty()) return odds;
  // Grid coordinates relative to the center of the field of view, as in PlannedTumor.
  std::array<at::Tensor, 3> axes;
  for (size_t axis = 0; axis < 3; ++axis) {
    const int64_t n = geometry.size[axis];
    axes[axis] = (at::arange(n, at::kFloat) - 0.5 * double(n - 1)) * geometry.spacing[axis];
  }
  const double voxel = (geometry.spacing[0] + geometry.spacing[1] + geometry.spacing[2]) / 3.0;
  for (const auto& tumor : plan) {
    const double radius = 0.5 * tumor.diameter_mm;
    const double edge = std::max(kSlope * radius, 0.2 * voxel);
    const auto distance = ((axes[2] - tumor.center_mm[2]).square().view({-1, 1, 1}) +
                           (axes[1] - tumor.center_mm[1]).square().view({-1, 1}) +
                           (axes[0] - tumor.center_mm[0]).square())
                              .sqrt_();
    odds = at::maximum(odds, (radius - distance).div_(edge));
  }
  return odds.clamp_max_(kMaxPlanLogOdds);
}

}  // namespace guidegen
