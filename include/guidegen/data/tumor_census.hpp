#pragma once

#include <optional>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/components.hpp"

namespace guidegen {

/// One tumor found in a mask, and where it sits.
struct FoundTumor {
  Component component;
  std::optional<TumorOrgan>
      organ;  ///< host by the labels that surround it; absent when none of the five
  std::optional<TumorPosition> position;  ///< part of the host organ that holds it
};

/// Tumors of a mask [1,D,H,W] in RAS orientation, largest first; components of fewer than
/// `min_voxels` are ignored. The host is the organ that covers most of a shell around the tumor,
/// where voxels of thin organs, and of organs on opposite sides, count for more; the position
/// follows from side, lobe label, and where the tumor lies along the organ (colon by its course,
/// pancreas by its long axis, liver by the middle plane through gallbladder and vena cava, or its
/// own when those are absent).
std::vector<FoundTumor> find_tumors(const Volume& mask, const Vocabulary& vocabulary,
                                    int64_t min_voxels = 2);

/// Labels that a tumor at `position` lies in or borders on: the lobes, the kidney, or the whole
/// organ where labels do not tell its parts. Empty when the vocabulary has none of them.
std::vector<int> host_labels_of(TumorPosition position, const Vocabulary& vocabulary);

/// Requests that describe the found tumors, grouped by organ and position, with count and mean
/// diameter (to 0.1 mm, within the range of a prompt); more than 20 of a kind take several
/// requests. Tumors outside the five organs can't be asked for, and are left out.
std::vector<TumorRequest> summarize_tumors(const std::vector<FoundTumor>& tumors);

}  // namespace guidegen
