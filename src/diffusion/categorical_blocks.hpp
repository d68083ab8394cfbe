#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

#include "diffusion/categorical_kernels.hpp"
#include "guidegen/nn/parallel.hpp"

namespace guidegen::categorical {

/// A batch cut into blocks of kBlock voxels, the same ones for any number of threads.
struct Blocks {
  int64_t batch, labels, voxels;  ///< voxels of one sample
  int64_t per_sample;

  /// For logits [B,K,D,H,W].
  explicit Blocks(const at::Tensor& logits)
      : batch(logits.size(0)),
        labels(logits.size(1)),
        voxels(logits.size(2) * logits.size(3) * logits.size(4)),
        per_sample((voxels + kBlock - 1) / kBlock) {}

  int64_t count() const { return batch * per_sample; }
};

/// One block: where it lies in its sample.
struct Block {
  int64_t index;  ///< among all blocks of the batch
  int64_t sample;
  int64_t first;   ///< first voxel inside the sample
  int64_t voxels;  ///< <= kBlock

  Block(const Blocks& blocks, int64_t block_index)
      : index(block_index),
        sample(block_index / blocks.per_sample),
        first(block_index % blocks.per_sample * kBlock),
        voxels(std::min(kBlock, blocks.voxels - first)) {}

  /// Index of the first voxel in [B,D,H,W].
  int64_t offset(const Blocks& blocks) const { return sample * blocks.voxels + first; }
};

/// Calls body(block, scratch) for every block, in parallel; `Scratch` is made once a task from
/// `blocks`.
template <typename Scratch, typename Body>
void for_each_block(const Blocks& blocks, const Body& body) {
  constexpr int64_t kBlocksATask = 16;
  parallel_for(0, blocks.count(), kBlocksATask, [&](int64_t begin, int64_t end) {
    Scratch scratch(blocks);
    for (int64_t i = begin; i < end; ++i) body(Block(blocks, i), scratch);
  });
}

/// Copies a block of `values` [B,K,D,H,W], float32, bfloat16 or float16, dense in either memory
/// format, to rows [K, kBlock] of float.
void read_rows(const at::Tensor& values, const Blocks& blocks, const Block& block, float* rows);
/// The other way round, rounding to the type of `values`.
void write_rows(const float* rows, const Blocks& blocks, const Block& block,
                const at::Tensor& values);

/// Reads a block of contiguous labels [B,D,H,W], uint8 or uint16; a label outside of the range is
/// an Error. `name` opens its message ("x_t").
void read_labels(const at::Tensor& labels, const char* name, const Blocks& blocks,
                 const Block& block, int32_t* out);
void write_labels(const int32_t* drawn, const Blocks& blocks, const Block& block,
                  const at::Tensor& labels);

}  // namespace guidegen::categorical
