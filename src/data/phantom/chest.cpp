#include "data/phantom/anatomy.hpp"

namespace guidegen::phantom {
namespace {

// Volume wanted for a label, or `fallback`.
double wanted(const Painter& painter, const std::string& label, double fallback) {
  const auto found = painter.patient.volume_ml.find(label);
  return found == painter.patient.volume_ml.end() ? fallback : found->second;
}

// The space between the lungs, without the heart: great vessels, airway, esophagus and fat.
float mediastinum(Point p) {
  const float upper = smooth_step(348, 378, p.z);
  const float half_width = 25.0F + upper * (9.0F - 8.0F * smooth_step(395, 450, p.z));
  const float half_depth = 34.0F + 26.0F * upper;
  const float x = (p.x + 6.0F) / half_width;
  const float y = (p.y + 30.0F - 32.0F * upper) / half_depth;
  return (std::sqrt(x * x + y * y) - 1.0F) * half_width;
}

}  // namespace

void paint_great_vessels(Painter& painter, RandomStream& stream) {
  const float bulk = painter.patient.male() ? 1.0F : 0.92F;
  const float aging = 1.0F + 0.0035F * static_cast<float>(painter.patient.age - 60);
  const auto wander = [&stream](float mm) { return static_cast<float>(stream.normal(0.0, mm)); };
  const float r = bulk * aging;
  const float arch = wander(4.0F);
  const float bend = wander(4.0F);
  const std::vector<TubeNode> aorta = smooth_course({{{-2, 22, 366}, 15 * r},
                                                     {{10, 30, 388}, 15.5F * r},
                                                     {{8, 18, 412 + arch}, 14.5F * r},
                                                     {{-8, -14, 420 + arch}, 13 * r},
                                                     {{-19, -38, 406}, 12.5F * r},
                                                     {{-22, -46, 380}, 12 * r},
                                                     {{-20 + bend, -46, 335}, 11.5F * r},
                                                     {{-12, -43, 295}, 10.5F * r},
                                                     {{-8 + 0.5F * bend, -26, 235}, 9.5F * r},
                                                     {{-7 + bend, -18, 195}, 9 * r},
                                                     {{-3, -17, 163}, 8.5F * r}});
  DistanceField field(painter.canvas, 5.0F);
  field.tube(aorta);
  painter.paint_to_volume("aorta", field, 4.0F);

  const float v = bulk * (1.0F + 0.5F * wander(0.12F));
  field.clear();
  field.tube(smooth_course({{{16, -19, 160}, 9.5F * v},
                            {{18, -20, 190}, 10 * v},
                            {{20, -22, 225}, 10.5F * v},
                            {{25, -17, 262}, 11.5F * v},
                            {{24, -4, 296}, 12 * v},
                            {{19, 10, 330}, 12 * v}}));
  painter.paint_to_volume("inferior_vena_cava", field, 2.5F);
}

void paint_airway_and_esophagus(Painter& painter) {
  const float r = painter.patient.male() ? 1.0F : 0.9F;
  DistanceField field(painter.canvas, 4.0F);
  field.tube(smooth_course({{{0, 0, 660}, 9 * r},
                            {{0, -2, 500}, 9 * r},
                            {{1, -12, 440}, 9 * r},
                            {{3, -20, 402}, 9.5F * r},
                            {{4, -22, 396}, 9 * r}}));
  const float bronchus = painter.noise_free_radius(6.5F * r);
  field.tube({{{4, -22, 397}, 8 * r}, {{36, -26, 380}, bronchus}});
  field.tube({{{2, -22, 397}, 8 * r}, {{-40, -30, 376}, bronchus}});
  painter.paint_to_volume("trachea", field, 2.0F);
  field.clear();
  const float thin = painter.noise_free_radius(6.0F);
  field.tube(painter.settle(smooth_course({{{0, -24, 660}, thin},
                                           {{-2, -25, 480}, thin},
                                           {{-4, -33, 435}, thin},
                                           {{-4, -38, 395}, thin},
                                           {{-4, -36, 355}, thin},
                                           {{-10, -22, 322}, thin + 0.5F},
                                           {{-26, -12, 303}, thin + 1.0F}})));
  painter.paint_to_volume("esophagus", field, 3.0F);
}

void paint_heart(Painter& painter, RandomStream& stream) {
  const SmoothNoise lumps(stream, 90, 6);
  const Rotation axis = frame_along({-0.62F, 0.55F, -0.56F});  // base to apex
  DistanceField field(painter.canvas, 14.0F);
  field.ellipsoid({-18, 32, 350}, {43, 43, 58}, axis);
  field.ellipsoid({14, 18, 358}, {28, 32, 32});              // right atrium
  field.ellipsoid({-8, -2, 362}, {34, 24, 24});              // left atrium
  field.tube({{{-12, 34, 370}, 15}, {{-14, 14, 388}, 13}});  // pulmonary trunk
  field.offset([&](Point p) { return 2.5F * lumps(p); });
  const TorsoFrame& frame = painter.frame;
  field.restrict_to([&](Point p) {
    return std::max({frame.cavity(p) + 3.0F, frame.diaphragm(p.x, p.y) + 2.0F - p.z,
                     frame.spine_y(p.z) + 30.0F - p.y});
  });
  painter.paint_to_volume("heart", field, 12.0F);
}

void paint_lungs(Painter& painter, RandomStream& stream) {
  const TorsoFrame& frame = painter.frame;
  const Canvas& canvas = painter.canvas;
  const SmoothNoise ripple(stream, 110, 6);
  const SmoothNoise bend(stream, 140, 6);
  const SmoothNoise flat(stream, 120, 6);
  // Pleural space; the diaphragm is left open here and moved until the lungs have their volume.
  DistanceField space(canvas, 0.0F);
  space.unite({-140, -110, 205}, {140, 105, 475}, [&](Point p) {
    return std::max({frame.cavity(p) + 1.0F, 2.5F - mediastinum(p), 3.0F - std::abs(p.x)});
  });
  DistanceField above(canvas, 500.0F);
  above.unite({-140, -110, 205}, {140, 105, 475},
              [&](Point p) { return frame.diaphragm(p.x, p.y) + 2.0F * ripple(p) - p.z; });
  const double total = wanted(painter, "lungs", 4200);
  painter.diaphragm_shift =
      -painter.solve("lungs", above, total, -24.0F, 26.0F, [&](int64_t i) { return space[i] < 0; });
  above.offset([&](Point) { return painter.diaphragm_shift; });
  const auto in_lung = [&](int64_t i, float side) {
    return space[i] < 0 && above[i] < 0 && painter.free(i) &&
           canvas.points[static_cast<size_t>(i)].x * side > 0;
  };
  // Fissures: the oblique one falls from behind T3 to the front of the diaphragm.
  DistanceField oblique(canvas, 1e6F);
  oblique.unite({-140, -110, 205}, {140, 105, 475}, [&](Point p) {
    return 0.62F * p.y + 0.78F * p.z + 4.0F * bend(p) + 0.0012F * p.y * p.y;
  });
  DistanceField horizontal(canvas, 1e6F);
  horizontal.unite({0, -110, 205}, {140, 105, 475},
                   [&](Point p) { return p.z - 0.12F * p.y + 4.0F * flat(p); });
  // Lobes share what each side of the chest holds in the proportions that were drawn.
  const auto share_of = [&](float side, std::initializer_list<const char*> lobes) {
    double held = 0;
    for_each_voxel(canvas, space.box(), [&](int64_t i) {
      if (in_lung(i, side)) held += canvas.voxel_ml();
    });
    double asked = 0;
    for (const char* lobe : lobes) asked += wanted(painter, lobe, 1000);
    return held / asked;
  };
  const double left = share_of(-1.0F, {"lung_lower_left", "lung_upper_left"});
  const double right =
      share_of(1.0F, {"lung_lower_right", "lung_middle_right", "lung_upper_right"});
  const auto split = [&](const std::string& label, const DistanceField& field, float side,
                         double fallback) {
    const float t =
        painter.solve(label, field, (side > 0 ? right : left) * wanted(painter, label, fallback),
                      0.0F, 1000.0F, [&](int64_t i) { return in_lung(i, side); });
    const uint8_t value = painter.id(label);
    for_each_voxel(canvas, field.box(), [&](int64_t i) {
      if (!in_lung(i, side) || field[i] >= t) return;
      painter.canvas.labels[static_cast<size_t>(i)] = value;
      painter.canvas.depth[static_cast<size_t>(i)] = std::min({-space[i], -above[i], t - field[i]});
    });
  };
  split("lung_lower_left", oblique, -1.0F, 1000);
  split("lung_lower_right", oblique, 1.0F, 1100);
  split("lung_middle_right", horizontal, 1.0F, 380);
  const auto rest = [&](const std::string& label, float side) {
    const uint8_t value = painter.id(label);
    for_each_voxel(canvas, space.box(), [&](int64_t i) {
      if (!in_lung(i, side)) return;
      painter.canvas.labels[static_cast<size_t>(i)] = value;
      painter.canvas.depth[static_cast<size_t>(i)] = std::min(-space[i], -above[i]);
    });
  };
  rest("lung_upper_right", 1.0F);
  rest("lung_upper_left", -1.0F);
}

}  // namespace guidegen::phantom
