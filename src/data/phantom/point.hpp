#pragma once

#include <algorithm>
#include <cmath>

namespace guidegen::phantom {

/// Millimeters in the canonical torso frame: x towards the patient's right, y anterior, z superior;
/// x = 0 in the midline, z = 0 at the pelvic floor, z = 472 at the base of the neck. Lengths along
/// z are those of an adult shortened by a quarter, so that the torso fits a 480 mm field of view.
struct Point {
  float x = 0;
  float y = 0;
  float z = 0;
};

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Point operator*(Point a, float s) { return {a.x * s, a.y * s, a.z * s}; }
inline float dot(Point a, Point b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline float length(Point a) { return std::sqrt(dot(a, a)); }
inline Point lerp(Point a, Point b, float t) { return a + (b - a) * t; }
inline Point cross(Point a, Point b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline Point normalized(Point a) {
  const float l = length(a);
  return l > 0 ? a * (1.0F / l) : Point{0, 0, 1};
}
inline float clamp01(float t) { return std::clamp(t, 0.0F, 1.0F); }
/// 0 below `low`, 1 above `high`, smooth between.
inline float smooth_step(float low, float high, float v) {
  const float t = clamp01((v - low) / (high - low));
  return t * t * (3.0F - 2.0F * t);
}

/// Rows are the axes of a rotated frame.
struct Rotation {
  Point u{1, 0, 0};
  Point v{0, 1, 0};
  Point w{0, 0, 1};
  Point apply(Point p) const { return {dot(u, p), dot(v, p), dot(w, p)}; }
};

/// Frame whose w axis points along `axis`, u as near to x as can be.
inline Rotation frame_along(Point axis) {
  const Point w = normalized(axis);
  const Point side = std::abs(w.x) < 0.9F ? Point{1, 0, 0} : Point{0, 1, 0};
  const Point v = normalized(cross(w, side));
  return {cross(v, w), v, w};
}

}  // namespace guidegen::phantom
