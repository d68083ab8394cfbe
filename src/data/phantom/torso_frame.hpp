#pragma once

#include "data/phantom/patient.hpp"
#include "data/phantom/point.hpp"

namespace guidegen::phantom {

/// Outlines of the torso that the other parts hang on. All distances are signed, in mm, negative
/// inside, measured in the axial plane along the ray from the outline's center.
class TorsoFrame {
 public:
  explicit TorsoFrame(const Patient& patient);

  float cavity(Point p) const;  ///< inner surface of chest and abdominal wall
  float muscle(Point p) const;  ///< outer surface of the muscle layer, without subcutaneous fat
  float skin(Point p) const;    ///< the patient's outline, arms raised
  /// z of the diaphragm above (x, y), before the shift that gives the lungs their volume.
  float diaphragm(float x, float y) const;
  /// Spine: center of the vertebral bodies at height z (y only; x is 0).
  float spine_y(float z) const;
  /// Position on the inner outline at height z: angle 0 = posterior midline, growing over the side
  /// (+x for positive `side`) to pi = anterior midline; `outset` mm outside it.
  Point on_wall(float z, float angle, float side, float outset) const;

 private:
  Patient patient_;
};

}  // namespace guidegen::phantom
