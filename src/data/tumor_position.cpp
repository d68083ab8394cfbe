#include "data/tumor_position.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

/// Voxels of a label as points; N may be 0.
at::Tensor points_of(const Volume& mask, const Vocabulary& vocabulary, const std::string& name) {
  const std::optional<int> label = vocabulary.find(name);
  if (!label) return at::empty({0, 3}, at::kDouble);
  return points_in_mm(voxels_of(mask.data[0], *label), mask.geometry.spacing);
}

/// Value below which the share `q` of a non-empty 1-D tensor lies (nearest rank).
double value_at_share(const at::Tensor& values, double q) {
  const at::Tensor sorted = std::get<0>(values.sort());
  const auto last = static_cast<double>(sorted.numel() - 1);
  return sorted[static_cast<int64_t>(std::llround(q * last))].item<double>();
}

Vec3 mean_of(const at::Tensor& points) {
  const at::Tensor mean = points.mean(0);
  return {mean[0].item<double>(), mean[1].item<double>(), mean[2].item<double>()};
}

double distance_to_segment(const Vec3& p, const Vec3& a, const Vec3& b) {
  double along = 0;
  double length = 0;
  for (size_t k = 0; k < 3; ++k) {
    along += (p[k] - a[k]) * (b[k] - a[k]);
    length += (b[k] - a[k]) * (b[k] - a[k]);
  }
  const double t = std::clamp(length > 0 ? along / length : 0.0, 0.0, 1.0);
  double squared = 0;
  for (size_t k = 0; k < 3; ++k) {
    const double d = p[k] - a[k] - t * (b[k] - a[k]);
    squared += d * d;
  }
  return std::sqrt(squared);
}

struct CoursePart {
  TumorPosition part;
  std::vector<Vec3> nodes;
};

// A typical colon in its own bounding box: x 0 left to 1 right, y 0 back to 1 front, z 0 rectum to
// 1 splenic flexure. The ascending and descending colon lie at the back (retroperitoneal), the
// transverse colon hangs in front, the sigmoid loops from the left pelvic brim to the midline.
const std::vector<CoursePart>& colon_course() {
  using P = TumorPosition;
  static const std::vector<CoursePart> course{
      {P::kColonAscending, {{0.87, 0.43, 0.36}, {0.90, 0.39, 0.68}, {0.88, 0.53, 0.74}}},
      {P::kColonTransverse,
       {{0.84, 0.66, 0.76},
        {0.73, 0.81, 0.71},
        {0.50, 0.88, 0.67},
        {0.32, 0.87, 0.70},
        {0.18, 0.76, 0.80},
        {0.11, 0.52, 0.94}}},
      {P::kColonDescending, {{0.07, 0.33, 0.90}, {0.07, 0.30, 0.68}, {0.11, 0.42, 0.49}}},
      {P::kColonSigmoidRectum,
       {{0.17, 0.48, 0.44},
        {0.27, 0.53, 0.42},
        {0.42, 0.60, 0.44},
        {0.57, 0.50, 0.45},
        {0.55, 0.32, 0.42},
        {0.48, 0.19, 0.32},
        {0.49, 0.18, 0.02}}},
  };
  return course;
}

}  // namespace

at::Tensor points_in_mm(const at::Tensor& inside, const Vec3& spacing) {
  const at::Tensor index = inside.nonzero().flip(1).to(at::kDouble);
  const at::Tensor scale = at::tensor(std::vector<double>(spacing.begin(), spacing.end()),
                                      at::TensorOptions().dtype(at::kDouble));
  return index * scale;
}

std::optional<TumorPosition> colon_position(const Volume& mask, const Vocabulary& vocabulary,
                                            const Vec3& point) {
  const at::Tensor colon = points_of(mask, vocabulary, "colon");
  if (colon.size(0) == 0) return std::nullopt;
  Vec3 relative{};
  Vec3 extent{};
  for (size_t k = 0; k < 3; ++k) {
    const at::Tensor axis = colon.select(1, static_cast<int64_t>(k));
    const double low = value_at_share(axis, 0.005);
    extent[k] = std::max(value_at_share(axis, 0.995) - low, 1e-6);
    relative[k] = (point[k] - low) / extent[k];
  }
  // Distances are compared in mm: the box is deeper from head to foot than from front to back.
  const auto stretched = [&](const Vec3& p) {
    return Vec3{p[0] * extent[0], p[1] * extent[1], p[2] * extent[2]};
  };
  std::optional<TumorPosition> nearest;
  double least = std::numeric_limits<double>::infinity();
  for (const CoursePart& course : colon_course()) {
    for (size_t i = 0; i + 1 < course.nodes.size(); ++i) {
      const double distance = distance_to_segment(stretched(relative), stretched(course.nodes[i]),
                                                  stretched(course.nodes[i + 1]));
      if (distance < least) {
        least = distance;
        nearest = course.part;
      }
    }
  }
  return nearest;
}

std::optional<TumorPosition> pancreas_position(const Volume& mask, const Vocabulary& vocabulary,
                                               const at::Tensor& tumor) {
  const at::Tensor spared = points_of(mask, vocabulary, "pancreas");
  if (spared.size(0) < 2) return std::nullopt;
  // The tumor took the place of a part of the pancreas: without its voxels the axis would turn
  // towards what is left, and the end that it covers would be lost.
  const at::Tensor pancreas = at::cat({spared, tumor});
  const at::Tensor mean = pancreas.mean(0);
  const at::Tensor centered = pancreas - mean;
  const auto [variances, axes] = at::linalg_eigh(centered.t().matmul(centered));
  at::Tensor axis = axes.select(1, 2);           // eigenvalues ascend: the last is the long axis
  if (axis[0].item<double>() > 0) axis = -axis;  // from the head, on the right, to the tail
  const at::Tensor along = centered.matmul(axis);
  const double here = (tumor.mean(0) - mean).dot(axis).item<double>();
  const double low = value_at_share(along, 0.01);
  const double high = value_at_share(along, 0.99);
  const double share = high > low ? (here - low) / (high - low) : 0.5;
  if (share < 1.0 / 3) return TumorPosition::kPancreasHead;
  return share < 2.0 / 3 ? TumorPosition::kPancreasBody : TumorPosition::kPancreasTail;
}

std::optional<TumorPosition> liver_position(const Volume& mask, const Vocabulary& vocabulary,
                                            const Vec3& point) {
  const at::Tensor liver = points_of(mask, vocabulary, "liver");
  if (liver.size(0) == 0) return std::nullopt;
  const at::Tensor gallbladder = points_of(mask, vocabulary, "gallbladder");
  at::Tensor cava = points_of(mask, vocabulary, "inferior_vena_cava");
  // The vena cava runs on to the pelvis: only its stretch behind the liver parts the lobes.
  const at::Tensor height = cava.select(1, 2);
  const at::Tensor liver_height = liver.select(1, 2);
  cava = cava.index({height.ge(value_at_share(liver_height, 0.01))
                         .logical_and(height.le(value_at_share(liver_height, 0.99)))});
  if (gallbladder.size(0) > 0 && cava.size(0) > 0) {
    const Vec3 front = mean_of(gallbladder);
    const Vec3 back = mean_of(cava);
    if (front[1] - back[1] > 10) {  // a plane from back to front, else the marks are no guide
      const double side =
          (point[0] - back[0]) * (front[1] - back[1]) - (point[1] - back[1]) * (front[0] - back[0]);
      return side > 0 ? TumorPosition::kLiverRight : TumorPosition::kLiverLeft;
    }
  }
  return point[0] > value_at_share(liver.select(1, 0), 0.4) ? TumorPosition::kLiverRight
                                                            : TumorPosition::kLiverLeft;
}

}  // namespace guidegen
