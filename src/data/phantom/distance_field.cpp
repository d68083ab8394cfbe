#include "data/phantom/distance_field.hpp"

namespace guidegen::phantom {
namespace {

Point minimum(Point a, Point b) {
  return {std::min(a.x, b.x), std::min(a.y, b.y), std::min(a.z, b.z)};
}
Point maximum(Point a, Point b) {
  return {std::max(a.x, b.x), std::max(a.y, b.y), std::max(a.z, b.z)};
}
Point cube(float r) { return {r, r, r}; }

// Distance from p to the triangle (a, b, c).
float triangle_distance(Point p, Point a, Point b, Point c) {
  const Point n = cross(b - a, c - a);
  const auto edge = [&p](Point from, Point to) {
    const Point e = to - from;
    return length(p - from - e * clamp01(dot(p - from, e) / dot(e, e)));
  };
  const bool inside = dot(cross(b - a, n), p - a) <= 0 && dot(cross(c - b, n), p - b) <= 0 &&
                      dot(cross(a - c, n), p - c) <= 0;
  if (inside) return std::abs(dot(n, p - a)) / length(n);
  return std::min({edge(a, b), edge(b, c), edge(c, a)});
}

}  // namespace

std::vector<TubeNode> smooth_course(const std::vector<TubeNode>& nodes, int steps) {
  std::vector<TubeNode> out;
  const size_t n = nodes.size();
  for (size_t i = 0; i + 1 < n; ++i) {
    const Point a = nodes[i > 0 ? i - 1 : 0].center;
    const Point b = nodes[i].center;
    const Point c = nodes[i + 1].center;
    const Point d = nodes[std::min(i + 2, n - 1)].center;
    for (int s = 0; s < steps; ++s) {
      const float t = static_cast<float>(s) / static_cast<float>(steps);
      const Point linear = (c - a) * (0.5F * t);
      const Point square = (a * 2.0F - b * 5.0F + c * 4.0F - d) * (0.5F * t * t);
      const Point cubic = (b * 3.0F - a - c * 3.0F + d) * (0.5F * t * t * t);
      out.push_back({b + linear + square + cubic,
                     nodes[i].radius + t * (nodes[i + 1].radius - nodes[i].radius)});
    }
  }
  out.push_back(nodes.back());
  return out;
}

DistanceField::DistanceField(const Canvas& canvas, float reach)
    : canvas_(&canvas), reach_(reach), values_(canvas.labels.size(), kFar) {}

void DistanceField::clear() {
  for_each_voxel(*canvas_, box_, [&](int64_t i) { values_[static_cast<size_t>(i)] = kFar; });
  box_ = {};
}

void DistanceField::ellipsoid(Point center, Point radii, const Rotation& rotation) {
  const float bound = std::max({radii.x, radii.y, radii.z}) + reach_;
  unite(center - cube(bound), center + cube(bound), [&](Point p) {
    const Point q = rotation.apply(p - center);
    const Point s{q.x / radii.x, q.y / radii.y, q.z / radii.z};
    const float k = length(s);
    if (k < 1e-4F) return -std::min({radii.x, radii.y, radii.z});
    // First-order distance to the level set k = 1.
    const Point g{s.x / radii.x, s.y / radii.y, s.z / radii.z};
    return k * (k - 1.0F) / length(g);
  });
}

void DistanceField::tube(const std::vector<TubeNode>& nodes) {
  for (size_t i = 0; i + 1 < nodes.size(); ++i) {
    const Point a = nodes[i].center;
    const Point e = nodes[i + 1].center - a;
    const float ra = nodes[i].radius;
    const float dr = nodes[i + 1].radius - ra;
    const float bound = std::max(ra, ra + dr) + reach_;
    const float ee = std::max(dot(e, e), 1e-6F);
    unite(minimum(a, a + e) - cube(bound), maximum(a, a + e) + cube(bound), [&](Point p) {
      const float t = clamp01(dot(p - a, e) / ee);
      return length(p - a - e * t) - (ra + dr * t);
    });
  }
}

void DistanceField::cylinder(Point center, const Rotation& rotation, float a, float b,
                             float half_length) {
  const float bound = std::max({a, b, half_length}) * 1.2F + reach_;
  unite(center - cube(bound), center + cube(bound), [&](Point p) {
    const Point q = rotation.apply(p - center);
    const float k = std::sqrt(q.x * q.x / (a * a) + q.y * q.y / (b * b));
    return std::max((k - 1.0F) * std::min(a, b), std::abs(q.z) - half_length);
  });
}

void DistanceField::triangle(Point a, Point b, Point c, float thickness) {
  const float bound = thickness + reach_;
  unite(minimum(a, minimum(b, c)) - cube(bound), maximum(a, maximum(b, c)) + cube(bound),
        [&](Point p) { return triangle_distance(p, a, b, c) - thickness; });
}

}  // namespace guidegen::phantom
