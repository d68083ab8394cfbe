#pragma once

#include <array>

#include "guidegen/evaluate/appearance.hpp"

namespace guidegen {

/// The figures of an organ that are compared with a reference.
struct AppearanceFigure {
  const char* key;  ///< in JSON
  double OrganAppearance::*value;
  const char* title;  ///< in tables
  int digits;
  bool by_phase;  ///< contrast medium moves it, so there is a row for each phase
};

inline constexpr std::array<AppearanceFigure, 5> kAppearanceFigures{
    {{"median_hu", &OrganAppearance::median_hu, "Median HU", 1, true},
     {"deviation_hu", &OrganAppearance::deviation_hu, "Standard deviation inside organs, HU", 1,
      false},
     {"gradient_hu_per_mm", &OrganAppearance::gradient_hu_per_mm,
      "Mean gradient inside organs, HU/mm", 2, false},
     {"noise_variance_hu2", &OrganAppearance::noise_variance_hu2, "Noise power, HU^2", 1, false},
     {"noise_frequency_per_mm", &OrganAppearance::noise_frequency_per_mm,
      "Mean frequency of the noise, 1/mm", 4, false}}};

}  // namespace guidegen
