#pragma once

#include <cstdint>
#include <vector>

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// The connected pieces (26-neighborhood) of all labels of a mask, background included.
struct Pieces {
  std::vector<int32_t> ids;     ///< of each voxel, in z, y, x order; dense from 0 by first voxel
  std::vector<int64_t> label;   ///< of each piece
  std::vector<int64_t> voxels;  ///< of each piece
};

/// `find_components` looks at one label; this takes one pass for all of them. Mask [1,D,H,W], uint8
/// or uint16, fewer than 2^31 voxels.
Pieces find_all_pieces(const Volume& mask);

}  // namespace guidegen
