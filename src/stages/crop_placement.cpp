#include "stages/crop_placement.hpp"

#include <optional>

namespace guidegen {

namespace {

/// First voxel of a crop along one axis, a multiple of `step`; so that it holds `target`, if any.
int64_t draw_start(int64_t size, int64_t extent, int64_t step, std::optional<double> target,
                   RandomStream& stream) {
  int64_t low = 0, high = (size - extent) / step;
  if (target) {
    const auto voxel = static_cast<int64_t>(*target);
    high = std::min(high, voxel / step);
    low = std::min(high, std::max<int64_t>(0, (voxel - extent + step) / step));
  }
  return step * (low + stream.integer(high - low + 1));
}

}  // namespace

Box place_crop(const TrainingCase& item, const Extent& size, const Extent& extent, int64_t step,
               double around_tumors, RandomStream& stream) {
  const FoundTumor* tumor = nullptr;
  if (around_tumors > 0 && !item.tumors.empty() && stream.flip(around_tumors)) {
    tumor =
        &item.tumors[static_cast<size_t>(stream.integer(static_cast<int64_t>(item.tumors.size())))];
  }
  Box box;
  for (size_t axis = 0; axis < 3; ++axis) {
    std::optional<double> target;
    if (tumor) target = tumor->component.centroid_index[2 - axis];
    box.low[axis] = draw_start(size[axis], extent[axis], step, target, stream);
    box.high[axis] = box.low[axis] + extent[axis];
  }
  return box;
}

}  // namespace guidegen
