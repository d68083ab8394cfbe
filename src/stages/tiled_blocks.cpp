#include "stages/tiled_blocks.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

// Part of a residual block. They are its own affair otherwise; a block that is built differently
// (an embedding, a projected skip) must not be run here.
template <typename Part>
std::shared_ptr<Part> part_of(const ResidualBlock3d& block, const char* name) {
  const auto children = block->named_children();
  const auto* found = children.find(name);
  const auto part = found ? std::dynamic_pointer_cast<Part>(*found) : nullptr;
  if (!part) throw_failure("tiles: a residual block without ", name);
  return part;
}

}  // namespace

TiledBlocks::TiledBlocks(const std::vector<ResidualBlock3d>& blocks, Guide guide,
                         const Extent& size, Source source)
    : guide_(std::move(guide)), size_(size), source_(std::move(source)) {
  using torch::nn::Conv3dImpl;
  using torch::nn::GroupNormImpl;
  constexpr size_t kParts = 4;
  for (const auto& block : blocks) {
    if (block->named_children().size() != kParts) {
      throw_failure("tiles: a residual block of ", block->named_children().size(),
                    " parts, expected two norms and two convolutions");
    }
    blocks_.push_back({part_of<GroupNormImpl>(block, "norm1"),
                       part_of<GroupNormImpl>(block, "norm2"),
                       part_of<Conv3dImpl>(block, "conv1"),
                       part_of<Conv3dImpl>(block, "conv2"),
                       block->norm_scope(),
                       {},
                       {}});
  }
}

// `x` covers `box` and, where the volume goes on, one voxel more on each side: there the padding of
// the convolution makes wrong values, which are cut off.
at::Tensor TiledBlocks::convolve(torch::nn::Conv3dImpl& conv, const at::Tensor& x, const Box& box,
                                 const Box& covered) const {
  return cut(conv.forward(x), box, covered);
}

at::Tensor TiledBlocks::input_of(size_t index, const Box& box) const {
  if (kept_input_ == static_cast<int64_t>(index)) return cut(input_, box, whole(size_));
  auto x = index == 0 ? source_(box) : leave(index - 1, box);
  return guide_ && index < blocks_.size() ? guide_(index, x, box) : x;
}

at::Tensor TiledBlocks::middle_of(size_t index, const Box& box) const {
  if (kept_middle_ == static_cast<int64_t>(index)) return cut(middle_, box, whole(size_));
  const Box wide = grown(box, 1, size_);
  const auto& block = blocks_[index];
  return convolve(*block.conv1, block.first.silu(input_of(index, wide)), box, wide);
}

at::Tensor TiledBlocks::leave(size_t index, const Box& box) const {
  const Box wide = grown(box, 1, size_);
  const auto& block = blocks_[index];
  if (kept_middle_ == static_cast<int64_t>(index)) {
    const auto change = block.second.silu(cut(middle_, wide, whole(size_)));
    return convolve(*block.conv2, change, box, wide) + input_of(index, box);
  }
  const Box wider = grown(box, 2, size_);
  const auto x = input_of(index, wider);
  const auto middle = convolve(*block.conv1, block.first.silu(x), wide, wider);
  return convolve(*block.conv2, block.second.silu(middle), box, wide) + cut(x, box, wider);
}

void TiledBlocks::keep_part(at::Tensor& all, const at::Tensor& part, const Box& box) const {
  if (!all.defined()) {
    all = at::empty({1, part.size(1), size_[0], size_[1], size_[2]}, part.options(),
                    at::MemoryFormat::ChannelsLast3d);
  }
  cut(all, box, whole(size_)).copy_(part);
}

void TiledBlocks::measure(const std::vector<Box>& tiles, bool keep, const TileDone& tile_done) {
  const auto pass = [&](const torch::nn::GroupNormImpl& norm, NormScope scope, at::Tensor& kept,
                        const auto& part) {
    ChannelMoments moments;
    const bool local = scope == NormScope::kVoxel;
    for (const Box& box : tiles) {
      if (keep || !local) {
        const auto x = part(box);
        if (!local) moments.add(x);
        if (keep) keep_part(kept, x, box);
      }
      if (tile_done) tile_done();
    }
    return local ? FrozenNorm(norm) : FrozenNorm(norm, moments);
  };
  for (size_t i = 0; i < blocks_.size(); ++i) {
    // In place: a tile of the next input needs the old one nowhere but in itself.
    blocks_[i].first = pass(*blocks_[i].norm1, blocks_[i].scope, input_,
                            [&](auto& box) { return input_of(i, box); });
    if (keep) kept_input_ = static_cast<int64_t>(i);
    blocks_[i].second = pass(*blocks_[i].norm2, blocks_[i].scope, middle_,
                             [&](auto& box) { return middle_of(i, box); });
    if (keep) kept_middle_ = static_cast<int64_t>(i);
  }
}

at::Tensor TiledBlocks::output(const Box& box) const { return input_of(blocks_.size(), box); }

void TiledBlocks::settle(const std::vector<Box>& tiles, const TileDone& tile_done) {
  for (const Box& box : tiles) {
    keep_part(input_, output(box), box);
    if (tile_done) tile_done();
  }
  kept_input_ = static_cast<int64_t>(blocks_.size());
  kept_middle_ = -1;
  middle_ = at::Tensor();
}

}  // namespace guidegen
