#include "guidegen/stages/plan_settler.hpp"

#include <torch/torch.h>

#include "guidegen/volume/labels.hpp"

namespace guidegen {

namespace {

constexpr int64_t kCandidates = 512;  // host voxels that are weighed
constexpr int kTries = 12;            // candidates that are judged before a tumor stays as it is
constexpr double kMostOutside = 0.1;  // share of a tumor that may lie outside the body
constexpr double kDepth = 4;          // how much deep places are preferred to those at the surface

// Positions of voxel centers along an axis relative to the center of the field of view, mm.
at::Tensor axis_mm(const ImageGeometry& geometry, size_t axis) {
  const int64_t n = geometry.size[axis];
  return (at::arange(n, at::kFloat) - 0.5 * double(n - 1)) * geometry.spacing[axis];
}

// Voxels within the tumor's ball, bool [D,H,W]. Balls are at least as large as it takes to hold a
// voxel's center wherever they lie.
at::Tensor ball(const PlannedTumor& tumor, const ImageGeometry& geometry) {
  const double widest = std::max({geometry.spacing[0], geometry.spacing[1], geometry.spacing[2]});
  const double radius = std::max(0.5 * tumor.diameter_mm, 0.9 * widest);
  const auto square = [&](size_t axis) {
    return (axis_mm(geometry, axis) - tumor.center_mm[axis]).square();
  };
  return (square(2).view({-1, 1, 1}) + square(1).view({-1, 1}) + square(0)) <= radius * radius;
}

at::Tensor any_of(const at::Tensor& mask, const std::vector<int>& labels) {
  auto result = at::zeros(mask.sizes(), at::kBool);
  for (const int label : labels) result.logical_or_(voxels_of(mask, label));
  return result;
}

// Share of each voxel's surroundings, a box as large as the tumor, that lies in the host.
at::Tensor depth_in(const at::Tensor& host, const PlannedTumor& tumor,
                    const ImageGeometry& geometry) {
  std::array<int64_t, 3> reach{};
  for (size_t axis = 0; axis < 3; ++axis) {
    // The box of the ball's volume has 0.81 of its diameter as its side.
    reach[axis] =
        std::max<int64_t>(1, std::llround(0.4 * tumor.diameter_mm / geometry.spacing[axis]));
    reach[axis] = std::min(reach[axis], (geometry.size[axis] - 1) / 2);
  }
  return at::avg_pool3d(host.to(at::kFloat).unsqueeze(0),
                        {2 * reach[2] + 1, 2 * reach[1] + 1, 2 * reach[0] + 1}, {1, 1, 1},
                        {reach[2], reach[1], reach[0]})
      .squeeze(0);
}

}  // namespace

PlanSettler::PlanSettler(TumorPlanner planner, const Prompt& prompt, const ImageGeometry& geometry,
                         const Vocabulary& vocabulary, RandomStream stream, at::Tensor blocked)
    : planner_(std::move(planner)),
      prompt_(prompt),
      geometry_(geometry),
      vocabulary_(vocabulary),
      stream_(stream),
      blocked_(std::move(blocked)) {}

bool PlanSettler::fits(const PlannedTumor& tumor, const TumorPlan& others,
                       const at::Tensor& anatomy) const {
  if (!has_room(tumor, others, geometry_)) return false;
  const auto inside = ball(tumor, geometry_);
  if (blocked_.defined() && inside.logical_and(blocked_).any().item<bool>()) return false;
  const auto outside = voxels_of(anatomy, vocabulary_.background()).logical_and(inside);
  if (outside.sum().item<double>() > kMostOutside * inside.sum().item<double>()) return false;
  auto scene = anatomy.clone();
  fill_label_(scene, inside, vocabulary_.tumor());
  const auto found = find_tumors({scene.unsqueeze(0), geometry_}, vocabulary_, 1);
  return found.size() == 1 && found[0].organ == tumor.organ && found[0].position == tumor.position;
}

PlanSettler::Candidates PlanSettler::candidates(const PlannedTumor& tumor,
                                                const at::Tensor& anatomy) {
  const auto host = any_of(anatomy, host_labels_of(tumor.position, vocabulary_));
  auto free = host;
  if (blocked_.defined()) free = host.logical_and(blocked_.logical_not());
  auto places = free.nonzero();
  if (places.size(0) == 0) return {};
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < kCandidates; ++i) chosen.push_back(stream_.integer(places.size(0)));
  places = places.index_select(0, torch::tensor(chosen));
  const auto z = places.select(1, 0), y = places.select(1, 1), x = places.select(1, 2);
  Candidates result;
  result.centers_mm = torch::stack(
      {axis_mm(geometry_, 0).index_select(0, x), axis_mm(geometry_, 1).index_select(0, y),
       axis_mm(geometry_, 2).index_select(0, z)},
      1);
  const auto depth = depth_in(host, tumor, geometry_).index({z, y, x});
  const auto score =
      planner_->log_density(tumor, prompt_, result.centers_mm) + kDepth * torch::log(depth + 1e-3);
  const auto weights = torch::exp(score - score.max()).to(at::kDouble);
  result.weights.assign(weights.data_ptr<double>(), weights.data_ptr<double>() + weights.numel());
  return result;
}

bool PlanSettler::move(PlannedTumor& tumor, const TumorPlan& others, const at::Tensor& anatomy) {
  Candidates places = candidates(tumor, anatomy);
  for (int i = 0; i < kTries; ++i) {
    double left = 0;
    for (const double weight : places.weights) left += weight;
    if (left <= 0) return false;
    const int64_t at = stream_.choice(places.weights);
    places.weights[static_cast<size_t>(at)] = 0;
    PlannedTumor moved = tumor;
    for (size_t axis = 0; axis < 3; ++axis) {
      moved.center_mm[axis] = places.centers_mm[at][int64_t(axis)].item<double>();
    }
    if (!fits(moved, others, anatomy)) continue;
    tumor = moved;
    return true;
  }
  return false;
}

bool PlanSettler::settle(TumorPlan& plan, const at::Tensor& anatomy) {
  const torch::NoGradGuard no_grad;
  bool moved = false;
  for (size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].given) continue;
    TumorPlan others = plan;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    if (fits(plan[i], others, anatomy)) continue;
    moved = move(plan[i], others, anatomy) || moved;
  }
  return moved;
}

}  // namespace guidegen
