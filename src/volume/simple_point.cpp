#include "guidegen/volume/simple_point.hpp"

#include <bit>

namespace guidegen {
namespace {

/// Bits of the planes x = 0, x = 2 and so on, which must not wrap into the next row or slice.
constexpr Neighborhood kX0 = 0x1249249;  // bits 0, 3, 6, …
constexpr Neighborhood kX2 = kX0 << 2;
constexpr Neighborhood kY0 = 7U | 7U << 9 | 7U << 18;
constexpr Neighborhood kY2 = kY0 << 6;
constexpr Neighborhood kCube = (1U << 27) - 1;

constexpr Neighborhood along_x(Neighborhood v) { return (v & ~kX2) << 1 | (v & ~kX0) >> 1; }
constexpr Neighborhood along_y(Neighborhood v) { return (v & ~kY2) << 3 | (v & ~kY0) >> 3; }
constexpr Neighborhood along_z(Neighborhood v) { return (v << 9 & kCube) | v >> 9; }

/// All bits of `allowed` that `seed` reaches by steps between voxels that share a face…
Neighborhood reach_by_faces(Neighborhood seed, Neighborhood allowed) {
  for (;;) {
    const Neighborhood next = (seed | along_x(seed) | along_y(seed) | along_z(seed)) & allowed;
    if (next == seed) return seed;
    seed = next;
  }
}

/// …or at least a corner.
Neighborhood reach_by_corners(Neighborhood seed, Neighborhood allowed) {
  for (;;) {
    Neighborhood next = seed | along_x(seed);
    next |= along_y(next);
    next = (next | along_z(next)) & allowed;
    if (next == seed) return seed;
    seed = next;
  }
}

Neighborhood lowest_bit(Neighborhood v) { return v & (~v + 1); }

}  // namespace

bool one_face_connected_piece(Neighborhood members) {
  const Neighborhood faces = members & kFaceNeighbors;
  if (std::has_single_bit(faces)) return true;
  if (faces == 0) return false;
  const Neighborhood reached = reach_by_faces(lowest_bit(faces), members & kFaceAndEdgeNeighbors);
  return (faces & ~reached) == 0;
}

bool is_simple(Neighborhood members) {
  members &= kAllNeighbors;
  if (members == 0) return false;
  if (!one_face_connected_piece(kAllNeighbors & ~members)) return false;
  return reach_by_corners(lowest_bit(members), members) == members;
}

}  // namespace guidegen
