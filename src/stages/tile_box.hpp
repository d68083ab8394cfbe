#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <vector>

namespace guidegen {

using Extent = std::array<int64_t, 3>;  ///< voxels along D, H, W

/// A box of voxels, `low` to before `high` along D, H, W.
struct Box {
  Extent low{}, high{};

  int64_t size(size_t axis) const { return high[axis] - low[axis]; }
};

/// `by` more voxels on every side, as far as there are any.
inline Box grown(const Box& box, int64_t by, const Extent& size) {
  Box out;
  for (size_t axis = 0; axis < 3; ++axis) {
    out.low[axis] = std::max<int64_t>(box.low[axis] - by, 0);
    out.high[axis] = std::min(box.high[axis] + by, size[axis]);
  }
  return out;
}

/// The same box on a grid `factor` times as fine.
inline Box finer(const Box& box, int64_t factor) {
  Box out;
  for (size_t axis = 0; axis < 3; ++axis) {
    out.low[axis] = box.low[axis] * factor;
    out.high[axis] = box.high[axis] * factor;
  }
  return out;
}

/// The smallest box of a grid `factor` times as coarse that covers it.
inline Box coarser(const Box& box, int64_t factor) {
  Box out;
  for (size_t axis = 0; axis < 3; ++axis) {
    out.low[axis] = box.low[axis] / factor;
    out.high[axis] = (box.high[axis] + factor - 1) / factor;
  }
  return out;
}

inline Extent extent_over(const Extent& size, int64_t factor) {
  return {size[0] / factor, size[1] / factor, size[2] / factor};
}

inline Box whole(const Extent& size) { return {{0, 0, 0}, size}; }

/// View of the last three axes: what of `x`, which covers the box `of`, lies in `box`.
inline at::Tensor cut(at::Tensor x, const Box& box, const Box& of) {
  for (size_t axis = 0; axis < 3; ++axis) {
    x = x.narrow(static_cast<int64_t>(axis) - 3, box.low[axis] - of.low[axis], box.size(axis));
  }
  return x;
}

/// Tiles that cover a grid without overlap; along D first, W fastest.
inline std::vector<Box> tiles_of(const Extent& size, const Extent& tile) {
  std::vector<Box> out;
  for (int64_t d = 0; d < size[0]; d += tile[0]) {
    for (int64_t h = 0; h < size[1]; h += tile[1]) {
      for (int64_t w = 0; w < size[2]; w += tile[2]) {
        out.push_back({{d, h, w},
                       {std::min(d + tile[0], size[0]), std::min(h + tile[1], size[1]),
                        std::min(w + tile[2], size[2])}});
      }
    }
  }
  return out;
}

}  // namespace guidegen
