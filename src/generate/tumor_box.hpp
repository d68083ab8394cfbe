#pragma once

#include <ATen/ATen.h>

#include <algorithm>

#include "guidegen/volume/components.hpp"

namespace guidegen {

/// View [d,h,w] of a volume [1,D,H,W]: the tumor's bounding box with `margin` voxels around it.
inline at::Tensor box_around(const Component& tumor, const at::Tensor& volume, int64_t margin) {
  at::Tensor box = volume.select(0, 0);
  for (int64_t axis = 0; axis < 3; ++axis) {
    const int64_t dimension = 2 - axis;  // bounds run x, y, z
    const auto first = static_cast<size_t>(2 * axis);
    const int64_t low = std::max<int64_t>(tumor.bounds[first] - margin, 0);
    const int64_t high =
        std::min<int64_t>(tumor.bounds[first + 1] + margin + 1, box.size(dimension));
    box = box.slice(dimension, low, high);
  }
  return box;
}

}  // namespace guidegen
