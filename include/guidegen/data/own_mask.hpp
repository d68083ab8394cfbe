#pragma once

#include <map>
#include <string>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// A mask that somebody brought along, in our labels.
struct OwnMask {
  Volume mask;                          ///< ids of the vocabulary, [1,D,H,W]
  std::map<int, int64_t> unknown = {};  ///< voxels of values that the mapping lacks; now "body"
  bool body_added = false;              ///< the envelope was computed, there was none
};

/// Takes `labels` [1,D,H,W] (RAS) for a mask to paint a CT onto. `mapping` translates them, null:
/// they are the vocabulary's own. Values that are in neither become "body", since something is
/// there. Where nothing is labelled as body, or much of the hull of the labels has none (30 %), the
/// body around the organs is missing: what body_around() finds becomes it. Throws Error(kFailure)
/// naming `source` when no voxel has a label.
OwnMask take_mask(const Volume& labels, const Vocabulary& vocabulary, const LabelMapping* mapping,
                  const std::string& source);

/// The inside of the skin, as far as labels tell it: bool [D,H,W], in each axial slice the convex
/// hull of the voxels that are not 0, widened by `skin_mm` for muscle, fat and skin. Slices without
/// labels have none.
at::Tensor body_around(const Volume& mask, double skin_mm);

}  // namespace guidegen
