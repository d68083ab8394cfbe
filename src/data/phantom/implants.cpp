#include "data/phantom/implants.hpp"

#include "data/phantom/skeleton.hpp"

namespace guidegen::phantom {
namespace {

// Titanium and cobalt-chrome are far beyond the 12 bits of a scanner: also a voxel that they fill
// by half reads as the end of the range.
constexpr float kMetalHu = 8000.0F;

// A stemmed prosthesis: cup in the acetabulum, head, neck, stem in the shaft of the femur.
void draw_hip(DistanceField& field, const Painter& painter, float side) {
  const Point hip = hip_center(painter.patient);
  const float widen = hip.x - 88.0F;
  const auto at = [&](float x, float y, float z) { return Point{side * x, y, z}; };
  field.ellipsoid(at(hip.x, hip.y, hip.z), {16, 16, 16});
  const float cup = 27.0F, thickness = 4.0F;
  // The half of a shell that looks away from the neck.
  const Point middle = at(hip.x, hip.y, hip.z), axis = normalized(at(-0.75F, 0.2F, 0.65F));
  field.unite(middle - Point{cup, cup, cup}, middle + Point{cup, cup, cup}, [&](Point p) {
    const float shell = std::abs(length(p - middle) - (cup - 0.5F * thickness)) - 0.5F * thickness;
    return std::max(shell, -dot(p - middle, axis));
  });
  field.tube({{middle, 7},
              {at(122 + widen, -12, 42), 7},
              {at(122 + widen, -13, 30), 9},
              {at(114, -10, 0), 7},
              {at(104, -6, -50), 5}});
}

// A screw through each pedicle of neighboring vertebrae, and the rods that join their heads.
void draw_fusion(DistanceField& field, const Painter& painter, RandomStream& stream) {
  const std::vector<Vertebra> column = vertebrae();
  const int64_t first = stream.integer(2), count = 2 + stream.integer(3);
  for (const float side : {1.0F, -1.0F}) {
    std::vector<TubeNode> rod;
    for (int64_t i = first; i < first + count; ++i) {
      const Vertebra& v = column.at(static_cast<size_t>(i));
      const float y = painter.frame.spine_y(v.z);
      const Point head{side * 18.0F, y - v.half_depth - 20.0F, v.z + 1.0F};
      field.tube({{head, 3.2F}, {{side * 9.0F, y + 0.4F * v.half_depth, v.z + 1.0F}, 3.0F}});
      field.ellipsoid(head, {6, 6, 6});
      rod.push_back({head, 3.0F});
    }
    field.tube(rod);
  }
}

}  // namespace

void add_implants(const Painter& painter, std::vector<float>& hu, RandomStream& stream) {
  const Canvas& canvas = painter.canvas;
  const auto voxel = static_cast<float>(std::cbrt(1000.0 * canvas.voxel_ml()));
  DistanceField field(canvas, voxel);
  const double kind = stream.uniform();
  const bool fusion = kind<0.4, both = kind> 0.85;
  const float side = stream.flip(0.5) ? 1.0F : -1.0F;
  if (fusion) {
    draw_fusion(field, painter, stream);
  } else {
    draw_hip(field, painter, side);
    if (both) draw_hip(field, painter, -side);
  }
  for_each_voxel(canvas, field.box(), [&](int64_t i) {
    if (canvas.labels[static_cast<size_t>(i)] == 0) return;  // screws end under the skin
    const float filled = clamp01(0.5F - field[i] / voxel);
    float& v = hu[static_cast<size_t>(i)];
    v += filled * (kMetalHu - v);
  });
}

}  // namespace guidegen::phantom
