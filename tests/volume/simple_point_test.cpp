#include "guidegen/volume/simple_point.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <random>

namespace guidegen {
namespace {

/// A set of voxels in a 5 x 5 x 5 box, with nothing on its faces.
using Box = std::array<std::array<std::array<bool, 5>, 5>, 5>;

Box box_of(Neighborhood members) {
  Box box{};
  for (int bit = 0; bit < 27; ++bit) {
    box[static_cast<size_t>(1 + bit / 9)][static_cast<size_t>(1 + bit / 3 % 3)]
       [static_cast<size_t>(1 + bit % 3)] = (members >> bit & 1U) != 0;
  }
  return box;
}

void erase_piece(Box& box, bool value, bool corners, int z, int y, int x) {
  if (z < 0 || y < 0 || x < 0 || z > 4 || y > 4 || x > 4) return;
  bool& voxel = box[static_cast<size_t>(z)][static_cast<size_t>(y)][static_cast<size_t>(x)];
  if (voxel != value) return;
  voxel = !value;
  for (int bit = 0; bit < 27; ++bit) {
    const int dz = bit / 9 - 1, dy = bit / 3 % 3 - 1, dx = bit % 3 - 1;
    if (!corners && std::abs(dz) + std::abs(dy) + std::abs(dx) != 1) continue;
    erase_piece(box, value, corners, z + dz, y + dy, x + dx);
  }
}

int count_pieces(Box box, bool value, bool corners) {
  int pieces = 0;
  for (int z = 0; z < 5; ++z) {
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 5; ++x) {
        if (box[static_cast<size_t>(z)][static_cast<size_t>(y)][static_cast<size_t>(x)] != value) {
          continue;
        }
        ++pieces;
        erase_piece(box, value, corners, z, y, x);
      }
    }
  }
  return pieces;
}

/// Euler characteristic of the union of closed cubes, by counting its vertices, edges, faces and
/// cubes: cells of even doubled coordinates are vertices, of odd ones cubes.
int euler_characteristic(const Box& box) {
  std::array<std::array<std::array<bool, 11>, 11>, 11> cells{};
  for (size_t z = 0; z < 5; ++z) {
    for (size_t y = 0; y < 5; ++y) {
      for (size_t x = 0; x < 5; ++x) {
        if (!box[z][y][x]) continue;
        for (size_t cell = 0; cell < 27; ++cell) {
          cells[2 * z + cell / 9][2 * y + cell / 3 % 3][2 * x + cell % 3] = true;
        }
      }
    }
  }
  int sum = 0;
  for (size_t z = 0; z < 11; ++z) {
    for (size_t y = 0; y < 11; ++y) {
      for (size_t x = 0; x < 11; ++x) {
        if (cells[z][y][x]) sum += (z % 2 + y % 2 + x % 2) % 2 == 0 ? 1 : -1;
      }
    }
  }
  return sum;
}

TEST(SimplePoint, IsWhatChangesNeitherPiecesNorCavitiesNorTunnels) {
  std::mt19937 random(1);
  int simple = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    Neighborhood members = random() & kAllNeighbors;
    if (trial % 3 == 1) members &= random();  // sparse and dense ones too
    if (trial % 3 == 2) members |= random() & kAllNeighbors;
    const Box without = box_of(members);
    const Box with = box_of(members | kNeighborhoodCenter);
    const bool keeps = count_pieces(without, true, true) == count_pieces(with, true, true) &&
                       count_pieces(without, false, false) == count_pieces(with, false, false) &&
                       euler_characteristic(without) == euler_characteristic(with);
    ASSERT_EQ(is_simple(members), keeps) << std::hex << members;
    EXPECT_EQ(is_simple(members | kNeighborhoodCenter), keeps);
    simple += keeps ? 1 : 0;
  }
  EXPECT_GT(simple, 400);
  EXPECT_LT(simple, 3600);
}

TEST(SimplePoint, NeitherIsolatedNorInnerVoxelsAreSimple) {
  EXPECT_FALSE(is_simple(0));
  EXPECT_FALSE(is_simple(kAllNeighbors));
  EXPECT_TRUE(is_simple((1U << 9) - 1));         // on a flat surface
  EXPECT_FALSE(is_simple(1U << 12 | 1U << 14));  // inside a thin tube
  EXPECT_TRUE(is_simple(1U << 12));              // at its end
}

TEST(SimplePoint, FaceConnectionNeedsAWayRoundByFaces) {
  EXPECT_FALSE(one_face_connected_piece(0));
  EXPECT_FALSE(one_face_connected_piece(1U << 0));              // a corner alone
  EXPECT_TRUE(one_face_connected_piece(1U << 12));              // one face
  EXPECT_FALSE(one_face_connected_piece(1U << 12 | 1U << 10));  // two, joined by an edge only
  EXPECT_TRUE(one_face_connected_piece(1U << 12 | 1U << 10 | 1U << 9));
}

}  // namespace
}  // namespace guidegen
