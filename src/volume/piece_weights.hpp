#pragma once

#include <array>
#include <vector>

#include "guidegen/volume/all_pieces.hpp"

namespace guidegen {

/// Weights of membership with which pieces keep their volumes, where each point goes to the piece
/// with the largest weight * membership. Without them smoothing takes volume away from what is
/// convex and from what is thin, down to all of a single voxel. `smooth_axes`: x, y, z.
std::vector<float> piece_weights(const Pieces& pieces, const std::array<int64_t, 3>& source_size,
                                 const std::array<bool, 3>& smooth_axes);

}  // namespace guidegen
