#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/evaluate/overlap.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// One tumor of the mask that a CT was made for, and whether a segmenter finds it in the CT.
struct TumorCheck {
  std::optional<TumorOrgan> organ;  ///< host, see FoundTumor
  double diameter_mm = 0;
  bool detected = false;  ///< at least a tenth of its voxels are found to be tumor
  double dice = 0;        ///< with the pieces of tumor found that touch it; 0 where there are none
};

/// What a segmenter finds in a CT against the mask that the CT was made for.
struct Resegmentation {
  std::map<std::string, Overlap> labels;  ///< all but the background that either mask holds
  std::map<std::string, Overlap> groups;  ///< of the vocabulary
  std::vector<TumorCheck> tumors;
  int64_t false_tumors = 0;  ///< pieces of two voxels or more that touch no tumor of the mask
};

/// Masks [1,D,H,W] of the vocabulary on one grid.
Resegmentation compare_masks(const Volume& wanted, const Volume& found,
                             const Vocabulary& vocabulary, double tolerance_mm);

}  // namespace guidegen
