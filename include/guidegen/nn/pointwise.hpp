#pragma once

#include <torch/nn/modules/conv.h>

namespace guidegen {

/// A 1x1x1 convolution as the matrix product that it is: x [B,C,D,H,W] -> [B,O,D,H,W]. With
/// channels last, the order the other convolutions keep, no value moves: LibTorch sends 1x1x1
/// convolutions of float32 to a kernel that knows no channels last and copies input, unfolded input
/// and gradients, and whose output makes the next layers copy again.
/// Numbers are those of `conv` up to rounding.
at::Tensor pointwise(const torch::nn::Conv3d& conv, const at::Tensor& x);

/// Mean over blocks of factor^3 voxels, [B,C,D,H,W] -> [B,C,D/f,H/f,W/f]; channels last in and out,
/// for the same reason. D,H,W must be multiples of `factor`.
at::Tensor block_mean(const at::Tensor& x, int64_t factor);

}  // namespace guidegen
