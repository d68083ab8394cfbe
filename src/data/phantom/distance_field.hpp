#pragma once

#include <vector>

#include "data/phantom/canvas.hpp"

namespace guidegen::phantom {

/// One node of a tube: where its center runs and how wide it is there.
struct TubeNode {
  Point center;
  float radius;
};

/// Smooth course through `nodes` (Catmull-Rom), `steps` pieces between neighbors.
std::vector<TubeNode> smooth_course(const std::vector<TubeNode>& nodes, int steps = 6);

/// Approximate signed distance (mm, negative inside) to a union of simple shapes, kept only near
/// them: a voxel farther than `reach` outside has kFar.
class DistanceField {
 public:
  static constexpr float kFar = 1e9F;
  DistanceField(const Canvas& canvas, float reach);

  void clear();
  void ellipsoid(Point center, Point radii, const Rotation& rotation = {});
  /// Capsules along the polyline, radius interpolated.
  void tube(const std::vector<TubeNode>& nodes);
  /// Elliptical bead: a tube's cross-section of radii (a, b) and half-length h along w.
  void cylinder(Point center, const Rotation& rotation, float a, float b, float half_length);
  /// A plate: all within `thickness` of the triangle.
  void triangle(Point a, Point b, Point c, float thickness);

  /// value = max(value, f(point)): a notch, which a threshold widens or narrows like the rest.
  template <typename F>
  void intersect(F f) {
    for_each_voxel(*canvas_, box_, [&](int64_t i) {
      float& v = values_[static_cast<size_t>(i)];
      if (v < kFar) v = std::max(v, f(canvas_->points[static_cast<size_t>(i)]));
    });
  }
  /// A hard border: nothing where f(point) >= 0, whatever the threshold.
  template <typename F>
  void restrict_to(F f) {
    for_each_voxel(*canvas_, box_, [&](int64_t i) {
      float& v = values_[static_cast<size_t>(i)];
      if (v < kFar && f(canvas_->points[static_cast<size_t>(i)]) >= 0) v = kFar;
    });
  }
  /// Keeps `margin` mm away from another shape on the same canvas.
  void keep_away(const DistanceField& other, float margin) {
    for_each_voxel(*canvas_, other.box_, [&](int64_t i) {
      if (other[i] < margin) values_[static_cast<size_t>(i)] = kFar;
    });
  }
  /// value += f(point).
  template <typename F>
  void offset(F f) {
    for_each_voxel(*canvas_, box_, [&](int64_t i) {
      float& v = values_[static_cast<size_t>(i)];
      if (v < kFar) v += f(canvas_->points[static_cast<size_t>(i)]);
    });
  }
  /// value = min(value, f(point)) for points of the canonical box [low, high].
  template <typename F>
  void unite(Point low, Point high, F f) {
    const IndexBox box = canvas_->box(low, high);
    for_each_voxel(*canvas_, box, [&](int64_t i) {
      const float d = f(canvas_->points[static_cast<size_t>(i)]);
      float& v = values_[static_cast<size_t>(i)];
      if (d < v && d <= reach_) v = d;
    });
    box_.include(box);
  }

  float operator[](int64_t i) const { return values_[static_cast<size_t>(i)]; }
  const IndexBox& box() const { return box_; }
  const Canvas& canvas() const { return *canvas_; }

 private:
  const Canvas* canvas_;
  float reach_;
  std::vector<float> values_;
  IndexBox box_;
};

}  // namespace guidegen::phantom
