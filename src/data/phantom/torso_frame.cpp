#include "data/phantom/torso_frame.hpp"

#include <array>
#include <numbers>

namespace guidegen::phantom {
namespace {

struct Outline {
  float z;
  float half_width;
  float front;  // y of the anterior surface
  float back;   // y of the posterior surface
};

// Inner surface of ribs and abdominal muscles.
constexpr std::array kCavity{
    Outline{-60, 50, 20, -60},  Outline{0, 56, 25, -62},     Outline{30, 58, 42, -72},
    Outline{60, 60, 52, -82},   Outline{100, 76, 68, -84},   Outline{140, 102, 80, -62},
    Outline{180, 124, 85, -66}, Outline{220, 128, 87, -80},  Outline{260, 134, 91, -93},
    Outline{300, 136, 95, -99}, Outline{340, 134, 95, -100}, Outline{380, 127, 90, -99},
    Outline{415, 110, 71, -93}, Outline{440, 88, 45, -84},   Outline{456, 60, 14, -68},
    Outline{468, 24, -8, -45},  Outline{620, 20, -8, -45}};

// Outer surface of the muscles, skeleton included, without subcutaneous fat.
constexpr std::array kMuscle{
    Outline{-60, 150, 70, -86},   Outline{0, 152, 76, -96},     Outline{60, 154, 82, -108},
    Outline{110, 148, 88, -110},  Outline{160, 143, 95, -108},  Outline{220, 141, 100, -107},
    Outline{270, 147, 104, -113}, Outline{320, 149, 107, -117}, Outline{360, 149, 106, -119},
    Outline{400, 150, 94, -119},  Outline{425, 148, 78, -114},  Outline{445, 122, 60, -104},
    Outline{460, 86, 50, -95},    Outline{480, 62, 45, -86},    Outline{620, 56, 44, -80}};

template <size_t N>
Outline outline_at(const std::array<Outline, N>& table, float z) {
  if (z <= table.front().z) return table.front();
  if (z >= table.back().z) return table.back();
  size_t i = 1;
  while (table[i].z < z) ++i;
  const Outline& a = table[i - 1];
  const Outline& b = table[i];
  const float t = (z - a.z) / (b.z - a.z);
  return {z, a.half_width + t * (b.half_width - a.half_width), a.front + t * (b.front - a.front),
          a.back + t * (b.back - a.back)};
}

// Superellipse of exponent 2.5: squarer than an ellipse, as a trunk is.
float distance_to(const Outline& o, Point p) {
  const float center = 0.5F * (o.front + o.back);
  const float half_depth = 0.5F * (o.front - o.back);
  const float y = p.y - center;
  const float a = std::abs(p.x) / o.half_width;
  const float b = std::abs(y) / half_depth;
  const float radius = std::pow(a * a * std::sqrt(a) + b * b * std::sqrt(b), 0.4F);
  if (radius < 1e-3F) return -std::min(o.half_width, half_depth);
  return std::sqrt(p.x * p.x + y * y) * (1.0F - 1.0F / radius);
}

}  // namespace

TorsoFrame::TorsoFrame(const Patient& patient) : patient_(patient) {}

float TorsoFrame::cavity(Point p) const { return distance_to(outline_at(kCavity, p.z), p); }

float TorsoFrame::muscle(Point p) const {
  Outline o = outline_at(kMuscle, p.z);
  if (!patient_.male()) {
    o.half_width += 6.0F * smooth_step(160, 60, p.z) -
                    5.0F * smooth_step(370, 420, p.z) * smooth_step(470, 440, p.z);
  }
  float d = distance_to(o, p);
  if (p.z < 25) {  // the legs part below the pelvic floor
    const float x = std::abs(p.x) - 80.0F;
    const float y = p.y + 8.0F;
    const float leg = std::sqrt(x * x + y * y) - 78.0F;
    const float t = smooth_step(25, -5, p.z);
    d = std::max(d, leg * t + d * (1.0F - t));
  }
  if (p.z > 405) {  // raised arms
    const float t = clamp01((p.z - 405.0F) / 135.0F);
    const float x = std::abs(p.x) - (124.0F + 14.0F * t);
    const float y = p.y + 26.0F - 16.0F * t;
    d = std::min(d, std::sqrt(x * x + y * y) - 36.0F);
  }
  return d;
}

float TorsoFrame::skin(Point p) const {
  // Fat is thickest over the belly and buttocks, thin over the chest and the shoulders.
  const float belly = smooth_step(20, 120, p.z) * smooth_step(340, 230, p.z);
  const float level = 0.42F + 0.58F * belly;
  const float facing = 0.85F + 0.25F * clamp01(p.y / 100.0F) +
                       0.2F * clamp01(-p.y / 100.0F) * smooth_step(200, 100, p.z);
  float thickness = 2.0F + patient_.fat_mm * level * facing;
  if (!patient_.male()) {
    thickness += 0.3F * patient_.fat_mm * smooth_step(150, 60, p.z);
    const float dx = (std::abs(p.x) - 68.0F) / 46.0F;  // breasts
    const float dz = (p.z - 352.0F) / 42.0F;
    const float r2 = dx * dx + dz * dz;
    if (p.y > 30 && r2 < 1) {
      thickness +=
          (12.0F + 1.1F * patient_.fat_mm) * (1 - r2) * (1 - r2) * smooth_step(30, 80, p.y);
    }
  } else {
    thickness += 0.45F * patient_.fat_mm * belly * clamp01(p.y / 90.0F) * patient_.visceral_fat;
  }
  return muscle(p) - thickness;
}

float TorsoFrame::diaphragm(float x, float y) const {
  const float right = x > 0 ? 3.0F : -3.0F;
  const float side = std::min(std::abs(x) / 30.0F, 1.0F);
  const float saddle = 9.0F * std::exp(-(x * x) / (34.0F * 34.0F));
  const float r = 1.0F + std::min(0.0F, cavity({x, y, 300.0F})) / 96.0F;
  const float drop =
      y < 0 ? 72.0F + 14.0F * clamp01(-y / 80.0F) : 72.0F - 36.0F * clamp01(y / 80.0F);
  return 313.0F + right * side - saddle - drop * r * r * r * r;
}

float TorsoFrame::spine_y(float z) const {
  constexpr std::array<std::array<float, 2>, 15> kCourse{{{30, -66},
                                                          {50, -78},
                                                          {75, -83},
                                                          {100, -76},
                                                          {125, -60},
                                                          {145, -47},
                                                          {172, -42},
                                                          {200, -44},
                                                          {235, -51},
                                                          {270, -60},
                                                          {305, -67},
                                                          {350, -70},
                                                          {400, -65},
                                                          {440, -54},
                                                          {472, -44}}};
  if (z <= kCourse.front()[0]) return kCourse.front()[1];
  if (z >= kCourse.back()[0]) return kCourse.back()[1] + std::min(14.0F, (z - 472.0F) * 0.35F);
  size_t i = 1;
  while (kCourse[i][0] < z) ++i;
  const float t = (z - kCourse[i - 1][0]) / (kCourse[i][0] - kCourse[i - 1][0]);
  return kCourse[i - 1][1] + t * (kCourse[i][1] - kCourse[i - 1][1]);
}

Point TorsoFrame::on_wall(float z, float angle, float side, float outset) const {
  const Outline o = outline_at(kCavity, z);
  const float center = 0.5F * (o.front + o.back);
  const float half_depth = 0.5F * (o.front - o.back);
  const float s = std::sin(angle);
  const float c = -std::cos(angle);
  const float a = std::abs(s);
  const float b = std::abs(c);
  const float shrink = std::pow(a * a * std::sqrt(a) + b * b * std::sqrt(b), 0.4F);
  return {side * s * (o.half_width / shrink + outset), center + c * (half_depth / shrink + outset),
          z};
}

}  // namespace guidegen::phantom
