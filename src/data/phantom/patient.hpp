#pragma once

#include <map>
#include <string>

#include "data/phantom/point.hpp"
#include "guidegen/core/random_stream.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen::phantom {

/// Who the phantom is: what the prompt can say, and the build and organ sizes that it cannot.
struct Patient {
  Sex sex = Sex::kMale;
  int age = 60;
  Race race = Race::kWhite;
  ContrastPhase contrast = ContrastPhase::kPortalVenous;
  float fat_mm = 14;                        ///< thickness of subcutaneous fat at the belly
  float visceral_fat = 0.5F;                ///< 0 lean … 1 obese
  Point scale{1, 1, 1};                     ///< patient / canonical size along x, y, z
  std::map<std::string, double> volume_ml;  ///< wanted volume per label

  bool male() const { return sex == Sex::kMale; }
};

/// Draws a patient; fields that `wish` sets are taken from it.
Patient draw_patient(const Prompt& wish, RandomStream& stream);

}  // namespace guidegen::phantom
