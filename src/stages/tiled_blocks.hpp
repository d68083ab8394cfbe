#pragma once

#include <functional>

#include "guidegen/nn/blocks.hpp"
#include "stages/frozen_norm.hpp"
#include "stages/tile_box.hpp"

namespace guidegen {

/// The residual blocks of one resolution, run on any part of a volume as if on the whole.
///
/// A block is local, two convolutions of reach 1, but for the statistics of its two norms where
/// those span the volume. So measure() goes over the volume once for every norm, in order, with the
/// statistics of the norms before it already known; afterwards output() computes any box.
///
/// Norms of voxels (NormScope::kVoxel) need no statistics and, where nothing is kept, no passes.
///
/// What a pass over the volume starts from is either kept (two tensors of the whole volume; each
/// convolution is then computed once, and again only in the margins of tiles) or computed anew from
/// the source (no memory; the cost grows with the square of the number of blocks).
class TiledBlocks {
 public:
  /// What enters the first block over a box, [1,C,d,h,w].
  using Source = std::function<at::Tensor(const Box& box)>;
  /// What comes before block `index`: x over `box` -> the same sizes. May be null.
  using Guide = std::function<at::Tensor(size_t index, const at::Tensor& x, const Box& box)>;
  /// Called after each tile of a pass.
  using TileDone = std::function<void()>;

  TiledBlocks(const std::vector<ResidualBlock3d>& blocks, Guide guide, const Extent& size,
              Source source);

  /// Finds the statistics of all norms, in 2 passes a block over `tiles`. With `keep`, activations
  /// stay.
  void measure(const std::vector<Box>& tiles, bool keep, const TileDone& tile_done);
  /// What leaves the last block over a box. After measure().
  at::Tensor output(const Box& box) const;
  /// Computes the whole output and keeps it, in one more pass.
  void settle(const std::vector<Box>& tiles, const TileDone& tile_done);

 private:
  struct Block {
    std::shared_ptr<torch::nn::GroupNormImpl> norm1, norm2;
    std::shared_ptr<torch::nn::Conv3dImpl> conv1, conv2;
    NormScope scope;
    FrozenNorm first, second;  // of measure()
  };
  at::Tensor input_of(size_t index, const Box& box) const;   // of norm 1, guided
  at::Tensor middle_of(size_t index, const Box& box) const;  // of norm 2
  at::Tensor leave(size_t index, const Box& box) const;
  at::Tensor convolve(torch::nn::Conv3dImpl& conv, const at::Tensor& x, const Box& box,
                      const Box& covered) const;
  void keep_part(at::Tensor& all, const at::Tensor& part, const Box& box) const;

  std::vector<Block> blocks_;
  Guide guide_;
  Extent size_;
  Source source_;
  // Whole volumes, if kept: the input of block kept_input_ and the middle of block kept_middle_.
  // (Numbers of blocks; -1: none. An input numbered as there are blocks is the output.)
  at::Tensor input_, middle_;
  int64_t kept_input_ = -1, kept_middle_ = -1;
};

}  // namespace guidegen
