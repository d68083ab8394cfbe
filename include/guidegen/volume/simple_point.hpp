#pragma once

#include <cstdint>

namespace guidegen {

/// The 3 x 3 x 3 voxels around a voxel, one bit each: bit x + 3 y + 9 z with x, y, z in 0…2, set
/// where the neighbor belongs to a set. The center is bit 13; it is ignored.
using Neighborhood = uint32_t;

inline constexpr Neighborhood kNeighborhoodCenter = 1U << 13;
inline constexpr Neighborhood kAllNeighbors = ((1U << 27) - 1) & ~kNeighborhoodCenter;
/// Neighbors that share a face, and those that share a face or an edge, with the center.
inline constexpr Neighborhood kFaceNeighbors =
    1U << 4 | 1U << 10 | 1U << 12 | 1U << 14 | 1U << 16 | 1U << 22;
inline constexpr Neighborhood kCornerNeighbors =
    1U << 0 | 1U << 2 | 1U << 6 | 1U << 8 | 1U << 18 | 1U << 20 | 1U << 24 | 1U << 26;
inline constexpr Neighborhood kFaceAndEdgeNeighbors = kAllNeighbors & ~kCornerNeighbors;

/// The set may gain or lose the center and keep its topology (26-connected pieces, 6-connected
/// pieces of what is outside, tunnels): its neighbors form one 26-connected piece, and the others
/// form one 6-connected piece within the 18 that touches the center by a face. Bertrand and
/// Malandain, "A new characterization of three-dimensional simple points", Pattern Recognition
/// Letters 15 (1994) 169-175.
bool is_simple(Neighborhood members);

/// Losing the center does not split what hangs together by faces: the members that touch it by a
/// face are one 6-connected piece within the 18 neighbors (and there are some).
bool one_face_connected_piece(Neighborhood members);

}  // namespace guidegen
