#pragma once

#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/components.hpp"

namespace guidegen {

/// One tumour found in a mask, and where it sits.
struct FoundTumor {
  Component component;
  std::optional<TumorOrgan> organ;        ///< host by the labels that surround it; absent when none of the five
  std::optional<TumorPosition> position;  ///< part of the host organ that holds it
};

/// Tumours of a mask in RAS orientation, components of fewer than `min_voxels` ignored. The host is
/// the organ with most voxels in a shell around the tumour; the position follows from side, lobe label, and where the tumour
/// lies along the organ (colon by its course, pancreas by its long axis, liver by the middle plane
/// through gallbladder and vena cava, or its own when those are absent).
std::vector<FoundTumor> find_tumors(const Volume& mask, const Vocabulary& vocabulary,
                                    int64_t min_voxels = 2);

/// Requests that describe the found tumours, grouped by organ and position, count and mean size.
std::vector<TumorRequest> summarize_tumors(const std::vector<FoundTumor>& tumors);

}  // namespace guidegen
