#include "volume/topology_sweep.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <vector>

#include "guidegen/core/stop_signal.hpp"
#include "guidegen/volume/simple_point.hpp"
#include "volume/run_on_threads.hpp"

namespace guidegen {
namespace {

/// One pass visits the voxels in eight sub-lattices, by the parity of x, y and z. No two voxels of
/// a sub-lattice are neighbors, so none sees another one move: their order, and which thread visits
/// them, does not matter, and moving them at once is as good as one by one.
template <typename Label>
class Sweeper {
 public:
  Sweeper(const Label* wanted, Label* labels, const std::array<int64_t, 3>& size)
      : wanted_(wanted), labels_(labels), size_(size) {
    const auto rows = static_cast<size_t>(size[1] * size[2]);
    lively_.assign(rows, 1);
    moved_.assign(rows, 0);
    size_t bit = 0;
    for (int64_t z = -1; z <= 1; ++z) {
      for (int64_t y = -1; y <= 1; ++y) {
        for (int64_t x = -1; x <= 1; ++x) steps_[bit++] = (z * size[1] + y) * size[0] + x;
      }
    }
  }

  SweepResult run() {
    SweepResult result;
    // Fronts advance layer by layer: a voxel on a flat one has nine neighbors across it. Else they
    // would drill holes, and what has to remain of a piece would be a ragged shell instead of its
    // core. What is thin follows.
    for (const int least : {9, 4, 1}) {
      least_joins_ = least;
      std::fill(lively_.begin(), lively_.end(), 1);
      for (;;) {
        throw_if_stopped();
        const int64_t moved = pass();
        if (moved == 0) break;
        result.moved += moved;
        ++result.passes;
        wake_rows();
      }
    }
    const int64_t voxels = size_[0] * size_[1] * size_[2];
    for (int64_t i = 0; i < voxels; ++i) result.held_back += labels_[i] != wanted_[i] ? 1 : 0;
    return result;
  }

 private:
  static constexpr int64_t kSlab = 8;  ///< slices that a thread takes at a time

  int64_t pass() {
    std::atomic<int64_t> moved{0};
    const int64_t slabs = (size_[2] + kSlab - 1) / kSlab;
    for (int64_t parity = 0; parity < 8; ++parity) {
      run_on_threads(slabs, [&] {
        return [&, parity](int64_t slab) {
          int64_t here = 0;
          const int64_t end = std::min(size_[2], (slab + 1) * kSlab);
          for (int64_t z = slab * kSlab + (parity >> 2); z < end; z += 2) {
            for (int64_t y = parity >> 1 & 1; y < size_[1]; y += 2) here += row(y, z, parity & 1);
          }
          moved += here;
        };
      });
    }
    return moved;
  }

  int64_t row(int64_t y, int64_t z, int64_t first_x) {
    const auto number = static_cast<size_t>(z * size_[1] + y);
    if (!lively_[number]) return 0;
    const int64_t start = static_cast<int64_t>(number) * size_[0];
    const bool row_inside = y > 0 && y < size_[1] - 1 && z > 0 && z < size_[2] - 1;
    int64_t moved = 0;
    for (int64_t x = first_x; x < size_[0]; x += 2) {
      if (labels_[start + x] == wanted_[start + x]) continue;
      const bool inside = row_inside && x > 0 && x < size_[0] - 1;
      if (!may_move(start + x, inside ? kAllNeighbors : neighbors_inside({x, y, z}))) continue;
      labels_[start + x] = wanted_[start + x];
      ++moved;
    }
    if (moved > 0) moved_[number] = 1;
    return moved;
  }

  /// Bits of the neighbors that the volume has.
  Neighborhood neighbors_inside(const std::array<int64_t, 3>& index) const {
    Neighborhood inside = 0;
    for (int bit = 0; bit < 27; ++bit) {
      const std::array<int64_t, 3> at = {index[0] + bit % 3 - 1, index[1] + bit / 3 % 3 - 1,
                                         index[2] + bit / 9 - 1};
      bool has = true;
      for (size_t axis = 0; axis < 3; ++axis) has = has && at[axis] >= 0 && at[axis] < size_[axis];
      if (has) inside |= 1U << bit;
    }
    return inside & kAllNeighbors;
  }

  bool may_move(int64_t at, Neighborhood inside) const {
    const Label from = labels_[at];
    const Label to = wanted_[at];
    Neighborhood leaves = 0;
    Neighborhood joins = 0;
    for (size_t bit = 0; bit < 27; ++bit) {
      if ((inside >> bit & 1U) == 0) continue;
      const Label neighbor = labels_[at + steps_[bit]];
      leaves |= static_cast<Neighborhood>(neighbor == from) << bit;
      joins |= static_cast<Neighborhood>(neighbor == to) << bit;
    }
    // Simple points keep 26-connected pieces; the two conditions on faces also keep 6-connected
    // ones from splitting and from appearing, so that surfaces hold together as cubes do.
    return std::popcount(joins) >= least_joins_ && (joins & kFaceNeighbors) != 0 &&
           one_face_connected_piece(leaves) && is_simple(leaves) && is_simple(joins);
  }

  /// Only rows next to one where something moved can move in the next pass.
  void wake_rows() {
    for (int64_t z = 0; z < size_[2]; ++z) {
      for (int64_t y = 0; y < size_[1]; ++y) {
        char lively = 0;
        for (int64_t nz = std::max<int64_t>(0, z - 1); nz <= std::min(size_[2] - 1, z + 1); ++nz) {
          for (int64_t ny = std::max<int64_t>(0, y - 1); ny <= std::min(size_[1] - 1, y + 1);
               ++ny) {
            lively |= moved_[static_cast<size_t>(nz * size_[1] + ny)];
          }
        }
        lively_[static_cast<size_t>(z * size_[1] + y)] = lively;
      }
    }
    std::fill(moved_.begin(), moved_.end(), 0);
  }

  const Label* wanted_;
  Label* labels_;
  std::array<int64_t, 3> size_;
  int least_joins_ = 1;              ///< neighbors that have the label wanted
  std::array<int64_t, 27> steps_{};  ///< to the neighbors, by bit
  std::vector<char> lively_;         ///< rows to visit in this pass
  std::vector<char> moved_;          ///< rows where something moved in this pass
};

}  // namespace

template <typename Label>
SweepResult sweep_to(const Label* wanted, Label* labels, const std::array<int64_t, 3>& size) {
  return Sweeper<Label>(wanted, labels, size).run();
}

template SweepResult sweep_to(const uint8_t*, uint8_t*, const std::array<int64_t, 3>&);
template SweepResult sweep_to(const uint16_t*, uint16_t*, const std::array<int64_t, 3>&);

}  // namespace guidegen
