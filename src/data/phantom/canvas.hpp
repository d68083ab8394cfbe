#pragma once

#include <cstdint>
#include <vector>

#include "data/phantom/point.hpp"
#include "data/phantom/smooth_noise.hpp"
#include "guidegen/volume/geometry.hpp"

namespace guidegen::phantom {

/// A half-open block of voxels.
struct IndexBox {
  int64_t x0 = 0, x1 = 0, y0 = 0, y1 = 0, z0 = 0, z1 = 0;
  bool empty() const { return x0 >= x1 || y0 >= y1 || z0 >= z1; }
  void include(const IndexBox& other);
};

/// Smooth bending of the canonical torso into one patient: scaling plus low-frequency displacement.
class Warp {
 public:
  Warp(Point scale, RandomStream& stream);
  /// `world`: mm relative to the center of the grid.
  Point to_canonical(Point world) const;
  Point from_canonical_unbent(Point canonical) const;  ///< ignores the displacement
  static constexpr float kReach = 16.0F;               ///< bound on the displacement, mm

 private:
  Point scale_;
  SmoothNoise dx_;
  SmoothNoise dy_;
  SmoothNoise dz_;
};

/// The grid being painted, with the canonical position of every voxel.
class Canvas {
 public:
  Canvas(const ImageGeometry& geometry, const Warp& warp);

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t index(int64_t x, int64_t y, int64_t z) const { return (z * ny + y) * nx + x; }
  /// Voxels whose canonical position may lie in the box [low, high].
  IndexBox box(Point low, Point high) const;
  double voxel_ml() const { return voxel_ml_; }
  float coarsest_spacing() const;
  float finest_spacing() const;
  /// Thin structures are drawn at least this thick (radius), so that they survive a coarse grid.
  float thin_radius() const { return 0.58F * coarsest_spacing(); }

  int64_t nx, ny, nz;
  Point spacing;
  std::vector<Point> points;    ///< canonical position, mm
  std::vector<uint8_t> labels;  ///< finished: the mask
  std::vector<float> depth;     ///< mm inside the surface of the structure painted there

 private:
  const Warp* warp_;
  double voxel_ml_;
};

/// Calls `f(index)` for each voxel of the box.
template <typename F>
void for_each_voxel(const Canvas& canvas, const IndexBox& box, F f) {
  for (int64_t z = box.z0; z < box.z1; ++z) {
    for (int64_t y = box.y0; y < box.y1; ++y) {
      const int64_t row = canvas.index(0, y, z);
      for (int64_t x = box.x0; x < box.x1; ++x) f(row + x);
    }
  }
}

}  // namespace guidegen::phantom
