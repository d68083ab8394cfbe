#include "data/phantom/vessel_tree.hpp"

#include <numbers>

#include "data/phantom/tissue.hpp"

namespace guidegen::phantom {
namespace {

struct Branch {
  Point from;
  Point to;
  float radius;
};

struct Twig {
  Point at;
  Point direction;
  float length;
  float radius;
  int level;
};

// A tree that forks at each end, children turning away from each other, until it is too thin.
std::vector<Branch> grow_tree(Point root, Point direction, float length_mm, float radius,
                              int levels, RandomStream& stream) {
  std::vector<Branch> out;
  std::vector<Twig> open{{root, normalized(direction), length_mm, radius, 0}};
  const auto jitter = [&stream](double s) { return static_cast<float>(stream.normal(0.0, s)); };
  while (!open.empty()) {
    const Twig twig = open.back();
    open.pop_back();
    const Point end = twig.at + twig.direction * twig.length;
    out.push_back({twig.at, end, twig.radius});
    if (twig.level + 1 >= levels) continue;
    const Point axis = normalized(cross(twig.direction, {jitter(1), jitter(1), jitter(1)}));
    for (const float turn : {0.55F, -0.45F}) {
      const Point bent = normalized(twig.direction + axis * (turn + jitter(0.12)) +
                                    Point{jitter(0.08), jitter(0.08), jitter(0.08)});
      open.push_back(
          {end, bent, twig.length * (0.86F + jitter(0.06)), twig.radius * 0.79F, twig.level + 1});
    }
  }
  return out;
}

// Blends `value` into voxels of the labels that `allowed` marks, by the share that the branch
// fills.
void blend(const Painter& painter, std::vector<float>& hu, const std::vector<Branch>& branches,
           const std::vector<char>& allowed, float value) {
  const Canvas& canvas = painter.canvas;
  const float half = 0.5F * canvas.coarsest_spacing();
  for (const Branch& branch : branches) {
    const float reach = branch.radius + half;
    const Point r{reach, reach, reach};
    const Point low{std::min(branch.from.x, branch.to.x), std::min(branch.from.y, branch.to.y),
                    std::min(branch.from.z, branch.to.z)};
    const Point high{std::max(branch.from.x, branch.to.x), std::max(branch.from.y, branch.to.y),
                     std::max(branch.from.z, branch.to.z)};
    const Point e = branch.to - branch.from;
    const float ee = std::max(dot(e, e), 1e-6F);
    // A thread thinner than a voxel fills only part of it.
    const float fill = std::min(
        1.0F, std::numbers::pi_v<float> * branch.radius * branch.radius / (4.0F * half * half));
    for_each_voxel(canvas, canvas.box(low - r, high + r), [&](int64_t i) {
      const auto index = static_cast<size_t>(i);
      if (allowed[canvas.labels[index]] == 0) return;
      const Point d = canvas.points[index] - branch.from;
      const float t = clamp01(dot(d, e) / ee);
      const float distance = length(d - e * t);
      if (distance >= reach) return;
      const float share = fill * clamp01((reach - distance) / (2.0F * half));
      hu[index] += share * (value - hu[index]);
    });
  }
}

std::vector<char> only(const Painter& painter, const char* prefix) {
  std::vector<char> allowed;
  for (const LabelInfo& label : painter.vocabulary().labels()) {
    allowed.push_back(label.name.rfind(prefix, 0) == 0 ? 1 : 0);
  }
  return allowed;
}

}  // namespace

void add_lung_vessels(const Painter& painter, std::vector<float>& hu, RandomStream stream) {
  const std::vector<char> lungs = only(painter, "lung_");
  const auto blood =
      static_cast<float>(std::max(45.0, 0.85 * phase_hu("heart", painter.patient.contrast)));
  constexpr Point kDirections[] = {{0.5F, 0.25F, 0.8F},   {0.9F, 0.45F, 0.1F},
                                   {0.75F, -0.6F, 0.35F}, {0.6F, -0.55F, -0.7F},
                                   {0.8F, 0.15F, -0.6F},  {0.4F, 0.8F, 0.3F}};
  for (const float side : {1.0F, -1.0F}) {
    const Point hilum{side * 38.0F, -22, side > 0 ? 375.0F : 380.0F};
    for (const Point& d : kDirections) {
      const Point direction{side * d.x, d.y, d.z};
      blend(painter, hu, grow_tree(hilum, direction, 27, 4.8F, 6, stream), lungs, blood);
      const Point beside = hilum + Point{0, -7, 5};
      blend(painter, hu, grow_tree(beside, direction, 24, 3.2F, 3, stream), lungs, -960.0F);
    }
  }
}

void add_liver_vessels(const Painter& painter, std::vector<float>& hu, RandomStream stream) {
  const std::vector<char> liver = only(painter, "liver");
  const ContrastPhase phase = painter.patient.contrast;
  const auto venous = static_cast<float>(phase_hu("inferior_vena_cava", phase));
  const auto portal = static_cast<float>(phase_hu("portal_splenic_veins", phase));
  const Point confluence = painter.settle({24, -4, 304});
  for (const Point& d :
       {Point{0.8F, -0.35F, -0.3F}, Point{0.55F, 0.7F, -0.25F}, Point{-0.3F, 0.85F, -0.2F}}) {
    blend(painter, hu, grow_tree(confluence, d, 34, 4.2F, 4, stream), liver, venous);
  }
  const Point gate = painter.settle({48, 8, 278});
  for (const Point& d :
       {Point{0.8F, -0.5F, 0.1F}, Point{0.8F, 0.3F, -0.4F}, Point{-0.6F, 0.7F, 0.2F}}) {
    blend(painter, hu, grow_tree(gate, d, 28, 4.0F, 4, stream), liver, portal);
  }
}

}  // namespace guidegen::phantom
