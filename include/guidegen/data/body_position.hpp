#pragma once

#include <optional>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// Where along the body an image begins and ends: heights of its lowest and highest voxel borders
/// in mm above the middle of the liver.
struct BodyPosition {
  double bottom_mm = 0;
  double top_mm = 0;
};

/// Judged by the organs of a mask [1,D,H,W] (RAS) that lie at a known height: whole ones where
/// there are any, else those that the image cuts. Absent when there is none of them.
std::optional<BodyPosition> body_position(const Volume& mask, const Vocabulary& vocabulary);

}  // namespace guidegen
