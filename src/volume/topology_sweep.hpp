#pragma once

#include <array>
#include <cstdint>

namespace guidegen {

struct SweepResult {
  int64_t moved = 0;      ///< voxels that took their wanted label
  int64_t held_back = 0;  ///< voxels that could not
  int64_t passes = 0;
};

/// Gives voxels of `labels` the label that they have in `wanted`, where that keeps the topology of
/// all labels, until nothing moves any more. `size` in x, y, z; both arrays in z, y, x order.
/// Beyond the faces there is no label. Instantiated for uint8_t and uint16_t.
template <typename Label>
SweepResult sweep_to(const Label* wanted, Label* labels, const std::array<int64_t, 3>& size);

}  // namespace guidegen
