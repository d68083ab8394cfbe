#include "guidegen/stages/tile_plan.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"
#include "guidegen/core/memory_size.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "stages/tile_box.hpp"

namespace guidegen {
namespace {

constexpr int64_t kFactor = HdrAutoencoderImpl::kDownsampling;
constexpr int64_t kFloat = 4;  // bytes

int64_t round_up(int64_t value) { return (value + kFactor - 1) / kFactor * kFactor; }

/// Tiles of about `edge` voxels that divide each axis evenly.
Extent even_tile(const Extent& size, int64_t edge) {
  Extent tile;
  for (size_t axis = 0; axis < 3; ++axis) {
    const int64_t extent = round_up(size[axis]);
    const int64_t count = (extent + edge - 1) / edge;
    tile[axis] = round_up((extent + count - 1) / count);
  }
  return tile;
}

/// Voxels on each side that are computed around a tile.
int64_t margin_of(const HdrAutoencoderConfig& config, const TilePlan& plan, TiledWork work) {
  // Half voxels: one for each of two convolutions when a kept block is finished; all blocks and
  // what is before and after them when nothing is kept.
  const int64_t margin = plan.keeps_half ? 4 : 4 * config.blocks + 4;
  // The stride of the encoder reaches over a quarter voxel, or two half voxels.
  return work == TiledWork::kDecode ? margin : margin + 2;
}

/// Floats that one voxel of a tile takes while the encoder, or the decoder, is at it: the largest
/// set of tensors that is alive at once, by resolution.
double encoder_floats(const HdrAutoencoderConfig& config) {
  const auto exposures = static_cast<double>(config.exposures.size());
  const double half = static_cast<double>(config.half_width) / 8;
  const double exposing = 2 + 5 * exposures;    // expose(): HU and the parts of the formula
  const double folding = 2 * exposures + half;  // space_to_depth() and the convolution
  const double block = 6 * half;                // two norms, two convolutions, input, sum
  return std::max({exposing, folding, block});
}

double decoder_floats(const HdrAutoencoderConfig& config) {
  const auto exposures = static_cast<double>(config.exposures.size());
  const auto labels = static_cast<double>(config.label_width);
  const auto full = static_cast<double>(config.full_width);
  const double half = static_cast<double>(config.half_width) / 8;
  const double guiding = 1 + 2 * labels + 6 * half;               // embedding, its mean, modulation
  const double joining = labels + full + (labels + full) + full;  // full_ and its operands
  const double fusing = labels + 2 * full + 10 * exposures;       // fuse(): curves and weights
  return std::max({6 * half, guiding, half + joining, fusing});
}

/// LibTorch gives convolutions of small inputs (channels x D x H) to a kernel that writes every
/// neighborhood out, on the CPU: bytes of that.
double unfolded_bytes(double channels, const Extent& level, const Extent& tile, int64_t margin) {
  constexpr double kLargestUnfolded = 20480, kNeighbors = 27;
  std::array<double, 3> least{}, most{};
  for (size_t axis = 0; axis < 3; ++axis) {
    const int64_t rest = level[axis] % tile[axis];
    least[axis] = static_cast<double>(rest > 0 ? rest : std::min(tile[axis], level[axis]));
    most[axis] = static_cast<double>(std::min(tile[axis] + 2 * margin, level[axis]));
  }
  if (channels * least[0] * least[1] > kLargestUnfolded) return 0;
  const double plane = std::min(channels * most[0] * most[1], kLargestUnfolded);
  return kNeighbors * kFloat * plane * most[2];
}

double unfolded_bytes(const HdrAutoencoderConfig& config, const Extent& padded,
                      const TilePlan& plan, int64_t margin) {
  const auto at = [&](double channels, int64_t factor) {
    return unfolded_bytes(channels, extent_over(padded, factor), extent_over(plan.tile, factor),
                          (margin + factor - 1) / factor);
  };
  const auto exposures = static_cast<double>(config.exposures.size());
  const auto half = static_cast<double>(config.half_width);
  return std::max({at(static_cast<double>(config.full_width + config.label_width), 1),
                   at(8 * exposures, 2), at(half, 2),
                   at(static_cast<double>(config.quarter_width), kFactor)});
}

/// Most bytes that tensors take at once.
int64_t tensor_bytes(const HdrAutoencoderConfig& config, const Extent& size, const TilePlan& plan,
                     TiledWork work) {
  const Extent padded = {round_up(size[0]), round_up(size[1]), round_up(size[2])};
  const int64_t margin = margin_of(config, plan, work);
  double voxels = 1, tile = 1;
  for (size_t axis = 0; axis < 3; ++axis) {
    voxels *= static_cast<double>(padded[axis]);
    tile *= static_cast<double>(std::min(plan.tile[axis] + 2 * margin, padded[axis]));
  }
  const double kept = 2.0 * static_cast<double>(config.quarter_width) / 64 +
                      (plan.keeps_half ? 2.0 * static_cast<double>(config.half_width) / 8 : 0.0);
  const double latent = 2.0 * static_cast<double>(config.latent_channels) / 64;
  double floats = 0;
  if (work != TiledWork::kDecode) {
    floats = voxels * (1 + kept + latent) + tile * encoder_floats(config);
  }
  if (work != TiledWork::kEncode) {
    // The result, a mask of at most two bytes, and the CT that is rebuilt.
    const double images = 1.5 + (work == TiledWork::kReconstruct ? 1 : 0);
    floats = std::max(floats, voxels * (images + kept + latent) + tile * decoder_floats(config));
  }
  return static_cast<int64_t>(floats * kFloat + unfolded_bytes(config, padded, plan, margin));
}

}  // namespace

TilePlan plan_tiles(const HdrAutoencoderConfig& config, const std::array<int64_t, 3>& size,
                    TiledWork work, int64_t memory) {
  const Extent dhw = to_dhw(size);
  int64_t least = 0;
  for (const bool keeps_half : {true, false}) {
    for (const int64_t edge : {128, 96, 64, 48, 32, 16}) {
      TilePlan plan;
      plan.tile = even_tile(dhw, edge);
      plan.keeps_half = keeps_half;
      plan.bytes = kProgramBytes + tensor_bytes(config, dhw, plan, work);
      if (plan.bytes <= memory) return plan;
      least = least == 0 ? plan.bytes : std::min(least, plan.bytes);
    }
  }
  throw_usage("memory: ", format_memory_size(memory), " are too little for a CT of ", size[0],
              " x ", size[1], " x ", size[2], " voxels, expected at least ",
              format_memory_size(least, /*at_least=*/true));
}

}  // namespace guidegen
