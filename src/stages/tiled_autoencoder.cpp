#include "guidegen/stages/tiled_autoencoder.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/pointwise.hpp"
#include "stages/tiled_blocks.hpp"

namespace guidegen {
namespace {

using Level = HdrAutoencoderImpl::Level;
constexpr int64_t kFactor = HdrAutoencoderImpl::kDownsampling;
constexpr int64_t kQuarterOfHalf = 2;

/// The grid of a volume: as it is, padded to whole latent voxels, and at lower resolutions.
struct Grid {
  Extent size, padded, half, quarter;

  explicit Grid(const Extent& dhw) : size(dhw) {
    for (size_t axis = 0; axis < 3; ++axis) {
      padded[axis] = (size[axis] + kFactor - 1) / kFactor * kFactor;
    }
    half = extent_over(padded, 2);
    quarter = extent_over(padded, kFactor);
  }
};

/// Counts tiles for whoever watches.
class TileCount {
 public:
  TileCount(TileCallback callback, int64_t total) : callback_(std::move(callback)), total_(total) {}
  void operator()() {
    ++done_;
    if (callback_) callback_(done_, total_);
  }

 private:
  TileCallback callback_;
  int64_t total_, done_ = 0;
};

/// [1,d,h,w] of a volume over a box of the padded grid, `value` beyond its end.
at::Tensor padded_cut(const at::Tensor& data, const Box& box, const Extent& size, double value,
                      const at::Device& device) {
  Box inside = box;
  std::vector<int64_t> pad;
  for (size_t axis = 3; axis-- > 0;) {
    inside.high[axis] = std::min(box.high[axis], size[axis]);
    inside.low[axis] = std::min(box.low[axis], inside.high[axis]);
    pad.push_back(0);
    pad.push_back(box.high[axis] - box.low[axis] - inside.size(axis));
  }
  const auto part = cut(data, inside, whole(size));
  const bool pads = std::any_of(pad.begin(), pad.end(), [](int64_t n) { return n > 0; });
  return (pads ? at::constant_pad_nd(part, pad, value) : part).to(device);
}

at::Device device_of(HdrAutoencoder& autoencoder) {
  return autoencoder->parameters().front().device();
}

/// Embedded labels over boxes of the padded grid.
class Guidance {
 public:
  Guidance(HdrAutoencoder& autoencoder, const Volume* mask, const Grid& grid)
      : autoencoder_(autoencoder), mask_(mask), grid_(grid) {}

  at::Tensor full(const Box& box) const {
    const std::vector<int64_t> dhw = {box.size(0), box.size(1), box.size(2)};
    const auto labels =
        mask_ ? padded_cut(mask_->data, box, grid_.size, 0, device_of(autoencoder_)) : at::Tensor();
    return autoencoder_->embed_mask(labels, dhw, 1);
  }
  at::Tensor half(const Box& box) const { return block_mean(full(finer(box, 2)), 2); }
  at::Tensor quarter(const Box& box) const { return block_mean(half(finer(box, 2)), 2); }

 private:
  HdrAutoencoder& autoencoder_;
  const Volume* mask_;
  const Grid& grid_;
};

std::vector<Box> level_tiles(const Extent& level, const TilePlan& plan, int64_t factor) {
  return tiles_of(level, extent_over(plan.tile, factor));
}

int64_t passes(HdrAutoencoder& autoencoder) {
  constexpr int64_t kNorms = 2, kLevels = 2;
  return kLevels * kNorms * autoencoder->config().blocks;
}

void check_sizes(const at::Tensor& z, const Volume* mask, const ImageGeometry& geometry,
                 const Grid& grid, int64_t channels) {
  const std::vector<int64_t> expected = {1, channels, grid.quarter[0], grid.quarter[1],
                                         grid.quarter[2]};
  if (z.sizes() != at::IntArrayRef(expected)) {
    throw_failure("latents of shape ", z.sizes(), ", expected ", at::IntArrayRef(expected));
  }
  if (mask && !same_geometry(mask->geometry, geometry)) {
    throw_failure("the grid of the mask differs from that of the latents");
  }
}

}  // namespace

HdrAutoencoderImpl::Posterior encode_tiled(HdrAutoencoder& autoencoder, const Volume& ct,
                                           const TilePlan& plan, const TileCallback& on_tile) {
  const torch::NoGradGuard no_grad;
  check_volume(ct, "CT");
  const Grid grid(to_dhw(ct.geometry.size));
  const auto device = device_of(autoencoder);
  const auto half_tiles = level_tiles(grid.half, plan, 2);
  const auto quarter_tiles = level_tiles(grid.quarter, plan, kFactor);
  TileCount count(on_tile, static_cast<int64_t>(half_tiles.size()) * (passes(autoencoder) + 1));

  TiledBlocks half(autoencoder->encoder_blocks(Level::kHalf), {}, grid.half, [&](const Box& box) {
    const Box wide = grown(box, 1, grid.half);
    const auto hu = padded_cut(ct.data, finer(wide, 2), grid.size, kMinHu, device);
    return cut(autoencoder->enter_encoder(hu.unsqueeze(0)), box, wide);
  });
  half.measure(half_tiles, plan.keeps_half, std::ref(count));

  TiledBlocks quarter(autoencoder->encoder_blocks(Level::kQuarter), {}, grid.quarter,
                      [&](const Box& box) {
                        // A stride of 2 reaches down only, over one half voxel. A whole quarter
                        // voxel more keeps the strides where they are.
                        Box wide = grown(box, 1, grid.quarter);
                        wide.high = box.high;
                        const auto x = half.output(finer(wide, kQuarterOfHalf));
                        return cut(autoencoder->descend(x), box, wide);
                      });
  quarter.measure(quarter_tiles, true, std::ref(count));

  HdrAutoencoderImpl::Posterior all;
  const auto& size = grid.quarter;
  all.mean = at::empty({1, autoencoder->config().latent_channels, size[0], size[1], size[2]});
  all.log_variance = at::empty_like(all.mean);
  for (const Box& box : quarter_tiles) {
    const auto part = autoencoder->leave_encoder(quarter.output(box));
    cut(all.mean, box, whole(size)).copy_(part.mean);
    cut(all.log_variance, box, whole(size)).copy_(part.log_variance);
    count();
  }
  return all;
}

Volume decode_tiled(HdrAutoencoder& autoencoder, const at::Tensor& z, const Volume* mask,
                    const ImageGeometry& geometry, const TilePlan& plan,
                    const TileCallback& on_tile) {
  const torch::NoGradGuard no_grad;
  const Grid grid(to_dhw(geometry.size));
  if (mask) check_volume(*mask, "mask");
  check_sizes(z, mask, geometry, grid, autoencoder->config().latent_channels);
  const auto latents = autoencoder->quantized(z.to(device_of(autoencoder), at::kFloat));
  const Guidance labels(autoencoder, mask, grid);
  const auto half_tiles = level_tiles(grid.half, plan, 2);
  const auto quarter_tiles = level_tiles(grid.quarter, plan, kFactor);
  TileCount count(on_tile, static_cast<int64_t>(half_tiles.size()) * (passes(autoencoder) + 2));

  TiledBlocks quarter(
      autoencoder->decoder_blocks(Level::kQuarter),
      [&](size_t index, const at::Tensor& x, const Box& box) {
        return autoencoder->guide(Level::kQuarter, index, x, labels.quarter(box));
      },
      grid.quarter,
      [&](const Box& box) {
        const Box wide = grown(box, 1, grid.quarter);
        const auto part = cut(latents, wide, whole(grid.quarter));
        return cut(autoencoder->enter_decoder(part), box, wide);
      });
  quarter.measure(quarter_tiles, true, std::ref(count));
  quarter.settle(quarter_tiles, std::ref(count));

  TiledBlocks half(
      autoencoder->decoder_blocks(Level::kHalf),
      [&](size_t index, const at::Tensor& x, const Box& box) {
        return autoencoder->guide(Level::kHalf, index, x, labels.half(box));
      },
      grid.half,
      [&](const Box& box) {
        const Box below = coarser(box, kQuarterOfHalf);
        const auto x = autoencoder->ascend(quarter.output(below));
        return cut(x, box, finer(below, kQuarterOfHalf));
      });
  half.measure(half_tiles, plan.keeps_half, std::ref(count));

  Volume out{at::empty({1, grid.size[0], grid.size[1], grid.size[2]}), geometry};
  for (const Box& box : half_tiles) {
    const Box wide = grown(box, 1, grid.half), covered = finer(wide, 2);
    const auto hu = autoencoder->leave_decoder(half.output(wide), labels.full(covered)).hu;
    const Box image = grown(finer(box, 2), 0, grid.size);  // without the padding
    cut(out.data, image, whole(grid.size)).copy_(cut(hu[0], image, covered));
    count();
  }
  return out;
}

}  // namespace guidegen
