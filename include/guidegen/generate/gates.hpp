#pragma once

#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// One check of a sampled mask.
struct Gate {
  std::string name;  ///< "tumor_organ", "tumor_count", "tumor_position" or "organs_present"
  bool passed = true;
  double penalty = 0;  ///< 0 when passed; how many things are wrong, to rank attempts
  Json wanted;
  Json measured;
};

struct GateReport {
  std::vector<Gate> gates;  ///< those that apply to the prompt
  std::vector<FoundTumor> tumors;
  bool passed() const;
  double penalty() const;
};

/// Checks a mask against its prompt. What the prompt leaves open is not checked:
/// - tumor_organ: each organ asked for has a tumor, and no tumor lies elsewhere;
/// - tumor_count: each organ has the count asked for, or at least as many as the counts given where
///   one is open;
/// - tumor_position: each position asked for has its tumors, and, where all requests for an organ
/// name
///   positions, no tumor of that organ lies at another one;
/// - organs_present: each label in `required` has a voxel.
GateReport check_mask(const Volume& mask, const Prompt& prompt, const Vocabulary& vocabulary,
                      const std::vector<int>& required);

/// Labels that a mask on `grid` has to have: those with a published volume
/// (anatomy/organ_facts.hpp) of at least 64 voxels in the smaller sex, since less may vanish by
/// rounding. None when the grid sees less than 90 % of `trained` along some axis: an organ may lie
/// outside then.
std::vector<int> required_labels(const ImageGeometry& grid, const ImageGeometry& trained,
                                 const Vocabulary& vocabulary);

Json to_json(const Gate& gate);         ///< {"name", "passed", "wanted", "measured"}
Json to_json(const FoundTumor& tumor);  ///< {"organ", "position", "diameter_mm", "volume_ml", …}

}  // namespace guidegen
