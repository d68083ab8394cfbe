#include "evaluate/picture_planes.hpp"

#include <cmath>

#include "guidegen/volume/components.hpp"

namespace guidegen {

std::array<int64_t, 3> planes_of(const Volume* mask, const Vocabulary& vocabulary) {
  std::array<int64_t, 3> planes{-1, -1, -1};
  if (!mask) return planes;
  const std::vector<Component> tumors = find_components(*mask, vocabulary.tumor());
  if (tumors.empty()) return planes;
  for (size_t axis = 0; axis < 3; ++axis) {
    planes[axis] = std::lround(tumors.front().centroid_index[axis]);
  }
  return planes;
}

}  // namespace guidegen
