#include <array>

#include "data/phantom/anatomy.hpp"

namespace guidegen::phantom {
namespace {

// Haustra: the wall of the colon bulges at intervals.
void pinch(std::vector<TubeNode>& course, float interval, float amount) {
  float along = 0;
  for (size_t i = 1; i < course.size(); ++i) {
    along += length(course[i].center - course[i - 1].center);
    course[i].radius *= 1.0F + amount * std::sin(6.2832F * along / interval);
  }
}

}  // namespace

void paint_pelvic_organs(Painter& painter, RandomStream& stream) {
  const SmoothNoise lumps(stream, 60, 6);
  const double filling = stream.uniform(0.0, 1.0);
  const auto lift = static_cast<float>(6.0 * filling);
  DistanceField bladder(painter.canvas, 16.0F);
  bladder.ellipsoid({0, 24, 76 + lift}, {35, 27, 25});
  bladder.offset([&](Point p) { return 1.5F * lumps(p); });
  bladder.restrict_to(
      [&](Point p) { return std::max(painter.frame.cavity(p) + 3.0F, 56.0F - p.z); });
  DistanceField gland(painter.canvas, 9.0F);
  if (painter.patient.male()) {
    gland.ellipsoid({0, 14, 44}, {23, 17, 15});
  } else {
    const auto lean = static_cast<float>(stream.normal(0.0, 5.0));
    gland.tube(smooth_course({{{0, -18, 62}, 11},
                              {{lean * 0.4F, -20, 82}, 13},
                              {{lean, -6, 108}, 21},
                              {{lean, 8, 118}, 19}}));
  }
  painter.paint_to_volume("prostate_uterus", gland, 8.0F);
  painter.paint_to_volume("bladder", bladder, 15.0F);
}

void paint_colon(Painter& painter, RandomStream& stream) {
  const auto wander = [&stream](double mm) { return static_cast<float>(stream.normal(0.0, mm)); };
  const float sag = wander(10);
  const float loop = wander(8);
  constexpr int kSteps = 8;
  std::vector<TubeNode> nodes{{{0, -46, 22}, 9},
                              {{0, -56, 48}, 16},
                              {{3, -58, 76}, 19},
                              {{-2, -46, 104}, 15},
                              {{22, -24, 126 + loop}, 13.5F},
                              {{26, 10, 138 + loop}, 13.5F},
                              {{-20, 24, 132 + loop}, 13.5F},
                              {{-62, 10, 128}, 13.5F},
                              {{-92, -6, 146}, 14},
                              {{-103, -24, 180}, 15},
                              {{-105, -34, 220}, 15.5F},
                              {{-104, -24, 254}, 17},
                              {{-92, 14, 262}, 17},
                              {{-76, 50, 222 + 0.5F * sag}, 18},
                              {{-34, 68, 196 + sag}, 18.5F},
                              {{16, 68, 190 + sag}, 19},
                              {{62, 58, 190 + 0.5F * sag}, 19},
                              {{98, 24, 196}, 21},
                              {{103, -8, 186}, 23},
                              {{101, -14, 164}, 24},
                              {{92, -4, 136}, 24}};
  nodes = painter.settle(std::move(nodes));
  std::vector<TubeNode> course = smooth_course(nodes, kSteps);
  pinch(course, 30.0F, 0.10F);
  painter.courses.step = kSteps;
  painter.courses.descending = 8 * kSteps;
  painter.courses.transverse = 11 * kSteps + kSteps / 2;
  painter.courses.ascending = 17 * kSteps;
  painter.courses.colon = course;
  DistanceField field(painter.canvas, 9.0F);
  field.tube(course);
  field.restrict_to([&](Point p) { return painter.abdomen(p) + 0.5F; });
  painter.paint_to_volume("colon", field, 7.0F);
}

void paint_small_bowel(Painter& painter, RandomStream& stream) {
  const SmoothNoise jx(stream, 80, 6);
  const SmoothNoise jy(stream, 80, 6);
  const SmoothNoise jz(stream, 80, 6);
  // A boustrophedon through the lower abdomen, bent out of recognition by noise.
  std::vector<TubeNode> nodes;
  bool forward = false;
  constexpr std::array<float, 4> kLayers{198, 169, 140, 112};
  for (size_t layer = 0; layer < kLayers.size(); ++layer) {
    const float z = kLayers[layer];
    const float reach = layer == 3 ? 48.0F : 74.0F;
    for (int row = 0; row < 3; ++row) {
      const int order = layer % 2 == 0 ? row : 2 - row;
      const float y = 62.0F - 30.0F * static_cast<float>(order);
      for (int i = 0; i <= 5; ++i) {
        const float t = static_cast<float>(i) / 2.5F - 1.0F;
        const Point p{(forward ? t : -t) * reach, y, z};
        const Point jitter{12.0F * jx(p), 9.0F * jy(p), 10.0F * jz(p)};
        nodes.push_back({p + jitter, 12.5F});
      }
      forward = !forward;
    }
  }
  std::vector<TubeNode> course = smooth_course(nodes, 4);
  pinch(course, 36.0F, 0.12F);
  DistanceField field(painter.canvas, 9.0F);
  field.tube(course);
  field.restrict_to([&](Point p) { return std::max(painter.abdomen(p) + 1.0F, 84.0F - p.z); });
  painter.paint_to_volume("small_bowel", field, 8.0F);
}

void paint_anatomy(Painter& painter, uint64_t seed, const std::string& case_id) {
  // One stream per region: a region draws the same numbers whatever the grid or its neighbors.
  const auto stream = [&](const char* part) {
    return RandomStream(seed, case_id, std::string("phantom/") + part);
  };
  const auto with = [&](const char* part, void (*paint)(Painter&, RandomStream&)) {
    RandomStream own = stream(part);
    paint(painter, own);
  };
  paint_body(painter);
  paint_spine(painter);
  paint_thoracic_bones(painter);
  paint_pelvic_bones(painter);
  with("vessels", paint_great_vessels);
  paint_airway_and_esophagus(painter);
  with("heart", paint_heart);
  with("lungs", paint_lungs);
  with("adrenals", paint_adrenals);
  with("kidneys", paint_kidneys);
  with("pancreas", paint_pancreas_region);
  with("spleen", paint_spleen_and_stomach);
  with("pelvis", paint_pelvic_organs);
  with("colon", paint_colon);
  with("liver", paint_liver);
  with("bowel", paint_small_bowel);
}

}  // namespace guidegen::phantom
