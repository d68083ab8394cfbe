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

  Blocks(int64_t samples, int64_t label_count, int64_t sample_voxels)
      : batch(samples),
        labels(label_count),
        voxels(sample_voxels),
        per_sample((sample_voxels + kBlock - 1) / kBlock) {}

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

/// Values [B,K,D,H,W] float32 in either memory format, copied from and to the dense rows of a
/// block.
class LabelRows {
 public:
  LabelRows(float* data, const Blocks& blocks, bool channels_last)
      : data_(data), blocks_(blocks), channels_last_(channels_last) {}

  void read(const Block& block, float* rows) const;
  void write(const Block& block, const float* rows) const;

 private:
  float* first_of(const Block& block) const {
    const int64_t sample = block.sample * blocks_.labels * blocks_.voxels;
    return data_ + sample + block.first * (channels_last_ ? blocks_.labels : 1);
  }

  float* data_;
  Blocks blocks_;
  bool channels_last_;
};

/// Labels [B,D,H,W] uint8 or int32, read as int32 with their range checked.
class LabelReader {
 public:
  /// `name` opens the messages ("x_t").
  LabelReader(const at::Tensor& labels, const Blocks& blocks, const char* name);
  void read(const Block& block, int32_t* out) const;

 private:
  at::Tensor labels_;  // contiguous
  Blocks blocks_;
  const char* name_;
};

/// Checked for shape and type: contiguous float32 [B,D,H,W].
at::Tensor voxel_values(const at::Tensor& values, const at::Tensor& labels, const char* name);

}  // namespace guidegen::categorical
