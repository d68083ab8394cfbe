#pragma once

#include <vector>

#include "data/phantom/point.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen::phantom {

/// A smooth random field: plane waves of random direction and phase. Mean 0, deviation about 1.
class SmoothNoise {
 public:
  /// `wavelength_mm`: typical distance between neighboring crests.
  SmoothNoise(RandomStream& stream, double wavelength_mm, int waves = 7);
  float operator()(Point p) const;

 private:
  struct Wave {
    Point k;      // cycles per mm
    float phase;  // cycles
  };
  std::vector<Wave> waves_;
  float gain_;
};

}  // namespace guidegen::phantom
