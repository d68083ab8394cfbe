#include <array>
#include <numbers>

#include "data/phantom/anatomy.hpp"
#include "data/phantom/skeleton.hpp"

namespace guidegen::phantom {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

void mirrored_triangle(DistanceField& field, Point a, Point b, Point c, float thickness) {
  field.triangle(a, b, c, thickness);
  field.triangle({-a.x, a.y, a.z}, {-b.x, b.y, b.z}, {-c.x, c.y, c.z}, thickness);
}

void mirrored_tube(DistanceField& field, std::vector<TubeNode> nodes) {
  field.tube(nodes);
  for (TubeNode& node : nodes) node.center.x = -node.center.x;
  field.tube(nodes);
}

void mirrored_ellipsoid(DistanceField& field, Point center, Point radii) {
  field.ellipsoid(center, radii);
  field.ellipsoid({-center.x, center.y, center.z}, radii);
}

void draw_ribs(DistanceField& field, const Painter& painter) {
  const float radius = painter.noise_free_radius(4.6F);
  for (int rib = 1; rib <= 12; ++rib) {
    const auto n = static_cast<float>(rib);
    const float z_head = 472.0F - 16.6F * n + 4.0F;
    const float drop = rib == 1 ? 18.0F : std::min(26.0F + 6.0F * n, 62.0F);
    const float end =
        rib <= 7 ? 0.80F : (rib <= 10 ? 0.78F - 0.05F * (n - 7.0F) : 0.48F - 0.12F * (n - 11.0F));
    for (const float side : {1.0F, -1.0F}) {
      std::vector<TubeNode> nodes;
      constexpr int kSteps = 16;
      for (int i = 0; i <= kSteps; ++i) {
        const float angle = kPi * (0.11F + (end - 0.11F) * static_cast<float>(i) / kSteps);
        const float fall = drop * 0.5F * (1.0F - std::cos(angle * 0.98F));
        nodes.push_back({painter.frame.on_wall(z_head - fall, angle, side, 3.2F), radius});
      }
      const float y = painter.frame.spine_y(z_head);
      nodes.insert(nodes.begin(), {{side * 14.0F, y - 12.0F, z_head}, radius});
      field.tube(nodes);
    }
  }
}

}  // namespace

std::vector<Vertebra> vertebrae() {
  std::vector<Vertebra> out;
  for (int i = 0; i < 5; ++i) {
    const auto t = static_cast<float>(i);
    out.push_back({141.0F + 27.0F * t, 27.0F - 0.8F * t, 18.5F - 0.3F * t, 10.5F});
  }
  for (int i = 0; i < 15; ++i) {
    const auto t = static_cast<float>(i);
    out.push_back({272.5F + 17.6F * t, 22.0F - 0.5F * t, 16.5F - 0.35F * t, 6.8F});
  }
  return out;
}

Point hip_center(const Patient& patient) { return {patient.male() ? 88.0F : 91.0F, 0, 60}; }

void paint_body(Painter& painter) {
  Canvas& canvas = painter.canvas;
  const uint8_t body = painter.id("body");
  for (int64_t i = 0; i < canvas.size(); ++i) {
    const float d = painter.frame.skin(canvas.points[static_cast<size_t>(i)]);
    if (d >= 0) continue;
    canvas.labels[static_cast<size_t>(i)] = body;
    canvas.depth[static_cast<size_t>(i)] = -d;
  }
}

void paint_spine(Painter& painter) {
  const TorsoFrame& frame = painter.frame;
  DistanceField field(painter.canvas, 2.0F);
  const std::vector<Vertebra> column = vertebrae();
  for (const Vertebra& v : column) {
    const float y = frame.spine_y(v.z);
    const Point up{0, frame.spine_y(v.z + 10) - frame.spine_y(v.z - 10), 20};
    const Rotation tilt = frame_along(up);
    field.cylinder({0, y, v.z}, tilt, v.half_width, v.half_depth, v.half_height);
    const float pitch = v.z < 260 ? 13.5F : 8.8F;  // the disc above
    field.cylinder({0, frame.spine_y(v.z + pitch), v.z + pitch}, tilt, v.half_width * 0.95F,
                   v.half_depth * 0.95F, pitch - v.half_height + 0.5F);
    const float arch = y - v.half_depth;
    const float thin = painter.noise_free_radius(4.0F);
    field.tube({{{0, arch - 16.0F, v.z - 1.0F}, thin}, {{0, arch - 30.0F, v.z - 7.0F}, thin}});
    const float lateral = v.z < 260 ? 36.0F : 27.0F;
    for (const float side : {1.0F, -1.0F}) {
      field.tube({{{side * 12.0F, arch + 3.0F, v.z + 1.0F}, 4.5F},    // pedicle
                  {{side * 14.0F, arch - 11.0F, v.z}, 5.0F},          // facets
                  {{side * 3.0F, arch - 18.0F, v.z - 3.0F}, 4.0F}});  // lamina
      field.tube({{{side * 14.0F, arch - 7.0F, v.z}, 4.0F},
                  {{side * lateral, arch - 12.0F, v.z + 1.0F}, painter.noise_free_radius(3.2F)}});
    }
  }
  constexpr std::array<Vertebra, 6> kSacrum{{{122, 50, 16, 13},
                                             {108, 44, 15, 12},
                                             {95, 37, 13, 12},
                                             {82, 30, 12, 11},
                                             {69, 22, 10, 11},
                                             {54, 10, 8, 13}}};
  for (const Vertebra& v : kSacrum) {
    field.ellipsoid({0, frame.spine_y(v.z), v.z}, {v.half_width, v.half_depth, v.half_height});
  }
  for (int z = 80; z < 136; z += 12) {  // median sacral crest
    const auto h = static_cast<float>(z);
    field.ellipsoid({0, frame.spine_y(h) - 16.0F, h}, {6, 9, 8});
  }
  painter.paint("spine", field);
}

void paint_thoracic_bones(Painter& painter) {
  const TorsoFrame& frame = painter.frame;
  DistanceField field(painter.canvas, 1.0F);
  draw_ribs(field, painter);
  const float thin = painter.noise_free_radius(5.0F);
  // Sternum: manubrium, body, xiphoid as parallel rods.
  for (const float side : {-1.0F, 0.0F, 1.0F}) {
    const auto at = [&](float z, float half_width) {
      return Point{side * half_width, frame.on_wall(z, kPi, 1.0F, 5.0F).y, z};
    };
    field.tube({{at(424, 17), thin},
                {at(408, 16), thin},
                {at(390, 9), thin},
                {at(345, 12), thin},
                {at(322, 9), thin},
                {at(306, 2), thin}});
  }
  mirrored_tube(field, smooth_course({{{16, 64, 428}, 7.5F},
                                      {{45, 58, 436}, 6},
                                      {{82, 28, 446}, 6},
                                      {{118, -10, 447}, 6.5F}}));
  // Scapula: blade, spine and glenoid.
  const Point inferior{84, -98, 338};
  const Point medial{68, -96, 420};
  const Point superior{88, -84, 442};
  const Point glenoid{118, -46, 428};
  const float plate = painter.noise_free_radius(3.5F);
  mirrored_triangle(field, inferior, medial, glenoid, plate);
  mirrored_triangle(field, medial, superior, glenoid, plate);
  mirrored_tube(field, {{{74, -104, 424}, 5}, {{108, -84, 440}, 6}, {{128, -40, 452}, 7}});
  mirrored_tube(field, {{inferior, 5}, {glenoid, 8}});
  // Humerus of the raised arm.
  mirrored_ellipsoid(field, {130, -26, 436}, {21, 21, 20});
  mirrored_tube(field, {{{132, -24, 445}, 15}, {{138, -14, 500}, 11}, {{144, -8, 640}, 11}});
  field.intersect([&](Point p) { return frame.skin(p) + 4.0F; });
  painter.paint("bone", field);
}

void paint_pelvic_bones(Painter& painter) {
  DistanceField field(painter.canvas, 1.0F);
  const float widen = painter.patient.male() ? 0.0F : 5.0F;
  const float plate = painter.noise_free_radius(6.0F);
  // Iliac wing: a sheet between the crest and the line from the sacroiliac joint to the hip.
  const std::array<Point, 6> crest{{{36, -96, 128},
                                    {58, -92, 168},
                                    {88, -72, 187},
                                    {112 + widen, -32, 192},
                                    {122 + widen, 10, 181},
                                    {120 + widen, 40, 158}}};
  const std::array<Point, 6> base{{{46, -88, 98},
                                   {54, -80, 104},
                                   {68, -58, 100},
                                   {82, -30, 92},
                                   {92, -2, 92},
                                   {98 + widen, 28, 100}}};
  for (size_t i = 0; i + 1 < crest.size(); ++i) {
    mirrored_triangle(field, crest[i], crest[i + 1], base[i], plate);
    mirrored_triangle(field, crest[i + 1], base[i + 1], base[i], plate);
  }
  std::vector<TubeNode> rim;
  for (const Point& p : crest) rim.push_back({p, 6.5F});
  mirrored_tube(field, smooth_course(rim));
  const float hip = hip_center(painter.patient).x;
  mirrored_ellipsoid(field, {hip - 6, -4, 66}, {28, 29, 29});                // acetabulum
  mirrored_ellipsoid(field, {hip, 0, 60}, {24, 24, 24});                     // femoral head
  mirrored_tube(field, {{{hip, 0, 60}, 16}, {{122 + widen, -12, 42}, 15}});  // neck
  mirrored_tube(field, {{{126 + widen, -14, 56}, 12},
                        {{124 + widen, -14, 34}, 17},
                        {{114, -10, 0}, 15},
                        {{100, -4, -80}, 14}});  // shaft
  mirrored_tube(field, {{{hip - 14, 20, 70}, 12}, {{40, 50, 58}, 8}, {{12, 58, 50}, 9}});
  mirrored_tube(field,
                {{{10, 58, 50}, 8}, {{12, 54, 34}, 8}, {{36, 18, 14}, 7}, {{56, -22, 6}, 10}});
  mirrored_tube(field, {{{hip - 10, -24, 56}, 15}, {{60, -34, 24}, 13}, {{56, -26, 4}, 14}});
  field.intersect([&](Point p) { return painter.frame.skin(p) + 4.0F; });
  painter.paint("bone", field);
}

}  // namespace guidegen::phantom
