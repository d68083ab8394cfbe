#include "guidegen/nn/pointwise.hpp"

#include <torch/torch.h>

#include "guidegen/nn/blocks.hpp"

namespace guidegen {

at::Tensor pointwise(const torch::nn::Conv3d& conv, const at::Tensor& x) {
  const auto weight = conv->weight.flatten(1);  // [O,C]: the kernel holds one voxel
  TORCH_INTERNAL_ASSERT(weight.size(1) == x.size(1) && conv->options.stride()->at(0) == 1);
  return at::linear(x.permute({0, 2, 3, 4, 1}), weight, conv->bias).permute({0, 4, 1, 2, 3});
}

at::Tensor block_mean(const at::Tensor& x, int64_t factor) {
  // Channels last, a block is factor^3 pixels of C values each, side by side after folding.
  const auto folded = space_to_depth(x, factor).permute({0, 2, 3, 4, 1});
  return folded.unflatten(4, {-1, x.size(1)}).mean(4).permute({0, 4, 1, 2, 3});
}

}  // namespace guidegen
