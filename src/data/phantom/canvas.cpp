#include "data/phantom/canvas.hpp"

namespace guidegen::phantom {
namespace {

constexpr Point kCenter{0, -4, 236};  // canonical point at the center of the grid

}  // namespace

void IndexBox::include(const IndexBox& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other;
    return;
  }
  x0 = std::min(x0, other.x0);
  x1 = std::max(x1, other.x1);
  y0 = std::min(y0, other.y0);
  y1 = std::max(y1, other.y1);
  z0 = std::min(z0, other.z0);
  z1 = std::max(z1, other.z1);
}

Warp::Warp(Point scale, RandomStream& stream)
    : scale_(scale), dx_(stream, 230, 5), dy_(stream, 230, 5), dz_(stream, 210, 5) {}

Point Warp::to_canonical(Point world) const {
  const auto bend = [&world](const SmoothNoise& noise) {
    return std::clamp(3.8F * noise(world), -kReach, kReach);
  };
  return {world.x / scale_.x + kCenter.x + bend(dx_), world.y / scale_.y + kCenter.y + bend(dy_),
          world.z / scale_.z + kCenter.z + bend(dz_)};
}

Point Warp::from_canonical_unbent(Point canonical) const {
  return {(canonical.x - kCenter.x) * scale_.x, (canonical.y - kCenter.y) * scale_.y,
          (canonical.z - kCenter.z) * scale_.z};
}

Canvas::Canvas(const ImageGeometry& geometry, const Warp& warp)
    : nx(geometry.size[0]),
      ny(geometry.size[1]),
      nz(geometry.size[2]),
      spacing{static_cast<float>(geometry.spacing[0]), static_cast<float>(geometry.spacing[1]),
              static_cast<float>(geometry.spacing[2])},
      points(static_cast<size_t>(nx * ny * nz)),
      labels(points.size(), 0),
      depth(points.size(), 0.0F),
      warp_(&warp),
      voxel_ml_(geometry.voxel_ml()) {
  for (int64_t z = 0; z < nz; ++z) {
    for (int64_t y = 0; y < ny; ++y) {
      for (int64_t x = 0; x < nx; ++x) {
        const Point world{(static_cast<float>(x) - 0.5F * static_cast<float>(nx - 1)) * spacing.x,
                          (static_cast<float>(y) - 0.5F * static_cast<float>(ny - 1)) * spacing.y,
                          (static_cast<float>(z) - 0.5F * static_cast<float>(nz - 1)) * spacing.z};
        points[static_cast<size_t>(index(x, y, z))] = warp.to_canonical(world);
      }
    }
  }
}

IndexBox Canvas::box(Point low, Point high) const {
  const float r = Warp::kReach;
  const Point a = warp_->from_canonical_unbent(low - Point{r, r, r});
  const Point b = warp_->from_canonical_unbent(high + Point{r, r, r});
  const auto range = [](float from, float to, float step, int64_t n, int64_t& i0, int64_t& i1) {
    const float middle = 0.5F * static_cast<float>(n - 1);
    i0 = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(from / step + middle)), 0, n);
    i1 = std::clamp<int64_t>(static_cast<int64_t>(std::floor(to / step + middle)) + 1, 0, n);
  };
  IndexBox out;
  range(a.x, b.x, spacing.x, nx, out.x0, out.x1);
  range(a.y, b.y, spacing.y, ny, out.y0, out.y1);
  range(a.z, b.z, spacing.z, nz, out.z0, out.z1);
  return out;
}

float Canvas::coarsest_spacing() const { return std::max({spacing.x, spacing.y, spacing.z}); }
float Canvas::finest_spacing() const { return std::min({spacing.x, spacing.y, spacing.z}); }

}  // namespace guidegen::phantom
