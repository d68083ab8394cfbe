#pragma once

#include <vector>

#include "data/phantom/painter.hpp"
#include "data/phantom/tumors.hpp"

namespace guidegen::phantom {

/// Mean CT number of a label in the patient's contrast phase, before spread and texture.
double phase_hu(const std::string& label, ContrastPhase phase);

/// CT number of one tissue at one voxel. Built once per phantom: draws the patient's own values.
class Tissue {
 public:
  Tissue(const Painter& painter, uint64_t seed, const std::string& case_id);
  float at(int64_t i) const;

 private:
  enum class Kind {
    kPlain,
    kAir,
    kBody,
    kLung,
    kAirway,
    kHeart,
    kKidney,
    kVessel,
    kHollow,
    kColon,
    kBladder,
    kSpine,
    kBone
  };
  float body(int64_t i) const;
  float lung(int64_t i, float mean) const;
  float heart(int64_t i, float mean) const;
  float kidney(int64_t i, float mean) const;
  float vessel(int64_t i, float mean) const;
  float hollow(int64_t i, float mean) const;
  float colon(int64_t i) const;
  float bladder(int64_t i, float mean) const;
  float spine(int64_t i) const;
  float bone(int64_t i) const;
  float cortex_share(float depth, float thickness) const;

  const Painter& painter_;
  const Patient& patient_;
  std::vector<Kind> kinds_;   // per label
  std::vector<float> means_;  // per label, this patient
  SmoothNoise coarse_, medium_, fine_;
  float fat_hu_, muscle_hu_, blood_hu_, marrow_hu_, cortex_hu_, cortex_mm_;
  float gas_level_, oral_contrast_hu_, calcium_, excretion_hu_;
};

}  // namespace guidegen::phantom
