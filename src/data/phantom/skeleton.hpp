#pragma once

#include <vector>

#include "data/phantom/patient.hpp"
#include "data/phantom/point.hpp"

namespace guidegen::phantom {

/// The body of a vertebra, mm in the canonical frame; x is 0, y follows the spine.
struct Vertebra {
  float z;
  float half_width;
  float half_depth;
  float half_height;
};

/// L5 … L1, T12 … T1 and three cervical vertebrae.
std::vector<Vertebra> vertebrae();

/// Middle of the femoral head on the side of positive x.
Point hip_center(const Patient& patient);

}  // namespace guidegen::phantom
