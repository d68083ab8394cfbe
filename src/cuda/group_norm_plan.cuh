#pragma once

#include <algorithm>

#include "cuda/group_norm_kernels.hpp"

namespace guidegen::group_norm {

constexpr int kThreads = 256;
constexpr int kUnroll = 4;  ///< voxels that a thread has under way at once

/// How a problem is cut into blocks: a function of shapes and types alone, so that results are the
/// same in every run. A block takes a chunk of voxels of one sample; its threads stand in rows, a
/// row for a voxel and a thread for V neighboring lanes, so that reading is coalesced and a
/// thread's lanes never change.
struct Plan {
  bool channels_last;
  int channels, groups;
  int64_t samples, voxels;
  int lanes;       ///< values of a voxel
  int vector;      ///< V: lanes that a thread takes
  int columns;     ///< lanes / vector
  int tile;        ///< columns of a block; blockIdx.y says which
  int rows;        ///< voxels that a block takes at once
  int64_t chunk;   ///< voxels of a block
  int64_t chunks;  ///< of a sample

  explicit Plan(const Problem& p)
      : channels_last(p.channels_last),
        channels(static_cast<int>(p.channels)),
        groups(static_cast<int>(p.groups)) {
    const int widest = p.type == Type::kFloat ? 4 : 8;
    const int64_t run = p.channels_last ? p.channels : p.voxels;  // values that lie side by side
    vector = p.aligned && run % widest == 0 ? widest : 1;
    samples = p.channels_last ? p.batch : p.batch * p.channels;
    lanes = p.channels_last ? channels : vector;
    voxels = p.channels_last ? p.voxels : p.voxels / vector;
    columns = lanes / vector;
    tile = std::min(columns, kThreads);
    rows = kThreads / tile;
    constexpr int64_t kBlocks = 1024;  // a few for every multiprocessor of the largest GPUs
    const int64_t step = static_cast<int64_t>(rows) * kUnroll;
    const int64_t wanted = (voxels * samples * tiles() + kBlocks - 1) / kBlocks;
    chunk = (std::max<int64_t>(wanted, 1) + step - 1) / step * step;
    chunks = (voxels + chunk - 1) / chunk;
  }

  int tiles() const { return (columns + tile - 1) / tile; }
  dim3 grid() const {
    return {static_cast<unsigned>(samples * chunks), static_cast<unsigned>(tiles())};
  }
  int64_t partials() const { return samples * chunks * lanes; }

  // Of group (b, g), the partial results one after the other: chunks of its channels.
  __device__ int in_group() const { return channels / groups; }
  /// Partial results of a channel of a sample of the batch.
  __device__ int64_t per_channel() const { return channels_last ? chunks : chunks * lanes; }
  /// Index of the `i`-th of channel c of sample b, and which chunk it is of.
  __device__ int64_t partial(int64_t b, int c, int64_t i, int64_t& of_chunk) const {
    if (channels_last) {
      of_chunk = i;
      return (b * chunks + i) * lanes + c;
    }
    of_chunk = i / lanes;
    return (b * channels + c) * chunks * lanes + i;
  }
  /// Voxels of a chunk.
  __device__ int64_t size_of(int64_t of_chunk) const {
    const int64_t left = voxels - of_chunk * chunk;
    return left < chunk ? left : chunk;
  }
};

/// Where a thread stands.
struct Place {
  int64_t sample, of_chunk;
  int column, row;
  bool active;
  int64_t first, last;  ///< voxels of the chunk

  __device__ explicit Place(const Plan& plan)
      : sample(blockIdx.x / plan.chunks),
        of_chunk(blockIdx.x % plan.chunks),
        column(static_cast<int>(blockIdx.y) * plan.tile +
               static_cast<int>(threadIdx.x) % plan.tile),
        row(static_cast<int>(threadIdx.x) / plan.tile),
        active(row < plan.rows && column < plan.columns),
        first(of_chunk * plan.chunk),
        last(first + plan.size_of(of_chunk)) {}

  /// Offset of this thread's lanes at a voxel.
  __device__ int64_t offset(const Plan& plan, int64_t voxel) const {
    return (sample * plan.voxels + voxel) * plan.lanes + static_cast<int64_t>(column) * plan.vector;
  }
};

}  // namespace guidegen::group_norm
