#pragma once

#include <array>
#include <functional>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// An empty torso mask on a 64 x 64 x 80 grid of 6 mm.
inline Volume empty_mask() {
  return {at::zeros({1, 80, 64, 64}, at::kByte), centered_geometry({64, 64, 80}, {6, 6, 6})};
}

/// Draws an ellipsoid of `label`; center and radii in voxels, x, y, z.
inline void draw(Volume& mask, int label, const Vec3& center, const Vec3& radii) {
  uint8_t* data = mask.data.data_ptr<uint8_t>();
  const auto& size = mask.geometry.size;
  for (int64_t z = 0; z < size[2]; ++z) {
    for (int64_t y = 0; y < size[1]; ++y) {
      for (int64_t x = 0; x < size[0]; ++x) {
        const double dx = (static_cast<double>(x) - center[0]) / radii[0];
        const double dy = (static_cast<double>(y) - center[1]) / radii[1];
        const double dz = (static_cast<double>(z) - center[2]) / radii[2];
        if (dx * dx + dy * dy + dz * dz <= 1) {
          data[(z * size[1] + y) * size[0] + x] = static_cast<uint8_t>(label);
        }
      }
    }
  }
}

/// A chain of balls from `from` to `to`.
inline void draw_tube(Volume& mask, int label, const Vec3& from, const Vec3& to, double radius) {
  for (int i = 0; i <= 40; ++i) {
    const double t = i / 40.0;
    Vec3 center{};
    for (size_t k = 0; k < 3; ++k) center[k] = from[k] + t * (to[k] - from[k]);
    draw(mask, label, center, {radius, radius, radius});
  }
}

/// A schematic patient with the five organs that may host tumors. x grows to the patient's right.
inline Volume schematic_patient(const Vocabulary& vocabulary) {
  Volume mask = empty_mask();
  const auto id = [&](const char* name) { return vocabulary.id(name); };
  draw(mask, vocabulary.body(), {32, 32, 40}, {30, 22, 60});
  draw(mask, id("lung_upper_left"), {16, 32, 70}, {8, 12, 6});
  draw(mask, id("lung_lower_left"), {16, 32, 58}, {8, 12, 6});
  draw(mask, id("lung_upper_right"), {48, 32, 72}, {8, 12, 5});
  draw(mask, id("lung_middle_right"), {48, 40, 63}, {8, 6, 4});
  draw(mask, id("lung_lower_right"), {48, 26, 57}, {8, 6, 6});
  draw(mask, id("liver"), {42, 32, 46}, {16, 12, 6});
  draw(mask, id("inferior_vena_cava"), {36, 24, 45}, {2, 2, 20});
  draw(mask, id("gallbladder"), {42, 42, 43}, {2, 2, 2});
  draw(mask, id("kidney_left"), {18, 20, 34}, {5, 4, 8});
  draw(mask, id("kidney_right"), {46, 20, 32}, {5, 4, 8});
  draw_tube(mask, id("pancreas"), {40, 30, 32}, {20, 28, 38}, 2.5);
  const int colon = id("colon");
  draw_tube(mask, colon, {32, 20, 4}, {32, 22, 14}, 2.5);   // rectum
  draw_tube(mask, colon, {32, 22, 14}, {16, 28, 20}, 2.5);  // sigmoid
  draw_tube(mask, colon, {16, 28, 20}, {15, 26, 44}, 2.5);  // descending
  draw_tube(mask, colon, {15, 26, 44}, {32, 44, 34}, 2.5);  // transverse
  draw_tube(mask, colon, {32, 44, 34}, {51, 30, 38}, 2.5);
  draw_tube(mask, colon, {51, 30, 38}, {50, 28, 20}, 2.5);  // ascending
  return mask;
}

/// A place inside each position of the schematic patient, in voxels.
inline Vec3 place_of(TumorPosition position) {
  using P = TumorPosition;
  switch (position) {
    case P::kLungLeftUpper:
      return {16, 32, 71};
    case P::kLungLeftLower:
      return {16, 32, 57};
    case P::kLungRightUpperMiddle:
      return {48, 40, 65};
    case P::kLungRightLower:
      return {48, 26, 56};
    case P::kKidneyLeft:
      return {18, 20, 34};
    case P::kKidneyRight:
      return {46, 20, 32};
    case P::kColonAscending:
      return {50, 29, 28};
    case P::kColonTransverse:
      return {32, 44, 34};
    case P::kColonDescending:
      return {15, 27, 34};
    case P::kColonSigmoidRectum:
      return {31, 22, 13};
    case P::kLiverLeft:
      return {31, 34, 46};
    case P::kLiverRight:
      return {50, 32, 46};
    case P::kPancreasHead:
      return {39, 30, 32};
    case P::kPancreasBody:
      return {30, 29, 35};
    case P::kPancreasTail:
      return {21, 28, 38};
  }
  return {};
}

}  // namespace guidegen
