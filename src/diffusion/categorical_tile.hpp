#pragma once

#include <cstdint>

#include "diffusion/categorical_formulas.hpp"

// A tile holds the K values of as many consecutive voxels as a CUDA block has threads, as float
// [K, threads + 1] in shared memory: logits are read once and gradients written once, with
// neighboring threads at neighboring addresses in either memory format. The padding column keeps
// the transposition of the channels-last format off the banks that its neighbors use.
// Each function is what one thread does; tests run them for all threads in turn on the CPU.

namespace guidegen::categorical {

/// Where the values [B,K,voxels] of a batch lie.
struct Layout {
  int labels;
  int64_t voxels;  ///< of one sample
  bool channels_last;

  GUIDEGEN_HOST_DEVICE int64_t offset(int64_t sample, int64_t voxel) const {
    return (sample * voxels) * labels + voxel * (channels_last ? labels : 1);
  }
  /// Distance of two labels of a voxel.
  GUIDEGEN_HOST_DEVICE int64_t stride() const { return channels_last ? 1 : voxels; }
};

/// One tile: `count` voxels of a sample from `first` on.
struct TileSpan {
  int64_t sample, first;
  int count;

  /// The tile of a CUDA block when every sample is cut into tiles of `threads` voxels.
  GUIDEGEN_HOST_DEVICE TileSpan(int64_t block, int64_t voxels, int threads) {
    const int64_t per_sample = (voxels + threads - 1) / threads;
    sample = block / per_sample;
    first = block % per_sample * threads;
    count = static_cast<int>(voxels - first < threads ? voxels - first : threads);
  }
  /// Index of a voxel of the tile in [B,D,H,W].
  GUIDEGEN_HOST_DEVICE int64_t voxel(int64_t voxels, int thread) const {
    return sample * voxels + first + thread;
  }
};

GUIDEGEN_HOST_DEVICE inline int tile_stride(int threads) { return threads + 1; }

/// Calls move(position in the tile, position in memory counted from the tile's first value) for
/// this thread's share.
template <typename Move>
GUIDEGEN_HOST_DEVICE void visit_tile(const Layout& layout, int count, int thread, int threads,
                                     const Move& move) {
  const int stride = tile_stride(threads);
  if (!layout.channels_last) {
    if (thread >= count) return;
    for (int c = 0; c < layout.labels; ++c) move(c * stride + thread, c * layout.voxels + thread);
    return;
  }
  // The tile is one piece of memory: threads walk along it, carrying (voxel, label) instead of
  // dividing each time.
  const int labels = layout.labels;
  const int voxel_step = threads / labels;
  const int label_step = threads % labels;
  int voxel = thread / labels;
  int label = thread % labels;
  for (int64_t i = thread; voxel < count; i += threads) {
    move(label * stride + voxel, i);
    voxel += voxel_step;
    label += label_step;
    if (label >= labels) {
      label -= labels;
      ++voxel;
    }
  }
}

template <typename Scalar>
GUIDEGEN_HOST_DEVICE void load_tile(const Scalar* values, const Layout& layout,
                                    const TileSpan& span, int thread, int threads, float* tile) {
  const Scalar* from = values + layout.offset(span.sample, span.first);
  visit_tile(layout, span.count, thread, threads,
             [=](int at, int64_t memory) { tile[at] = static_cast<float>(from[memory]); });
}

template <typename Scalar>
GUIDEGEN_HOST_DEVICE void store_tile(const float* tile, const Layout& layout, const TileSpan& span,
                                     int thread, int threads, Scalar* values) {
  Scalar* to = values + layout.offset(span.sample, span.first);
  visit_tile(layout, span.count, thread, threads,
             [=](int at, int64_t memory) { to[memory] = static_cast<Scalar>(tile[at]); });
}

}  // namespace guidegen::categorical
