#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

namespace guidegen {

/// Number of groups for GroupNorm: the largest divisor of `channels` that is at most 8.
int64_t norm_groups(int64_t channels);

/// Sinusoidal features of a scalar (Vaswani et al., NeurIPS 2017): [B] float32 -> [B,width], width
/// even. `scale` multiplies the value first, so that the slowest wave spans about 10000 / scale.
at::Tensor sinusoidal_features(const at::Tensor& value, int64_t width, double scale = 1.0);

/// [B,C,D,H,W] -> [B,C f^3,D/f,H/f,W/f] and back. D,H,W must be multiples of `factor`; memory
/// format kept.
at::Tensor space_to_depth(const at::Tensor& x, int64_t factor);
at::Tensor depth_to_space(const at::Tensor& x, int64_t factor);

/// Pads D,H,W at their upper ends to multiples of `factor` with `value`. Any rank >= 3, last three
/// axes.
at::Tensor pad_to_multiple(const at::Tensor& x, int64_t factor, double value);

/// silu(norm(x) * (1 + scale) + shift); scale and shift [B,C], both or neither
/// (nn/group_norm.hpp).
at::Tensor silu_of(const torch::nn::GroupNorm& norm, const at::Tensor& x,
                   const at::Tensor& scale = {}, const at::Tensor& shift = {});

/// What a norm's statistics are taken over.
enum class NormScope {
  kVolume,  ///< groups of channels over all voxels: GroupNorm. Crops are normalised differently
            ///< from the volumes that they are cut from.
  kVoxel,   ///< the channels of each voxel alone (LayerNorm): the same in a crop as in the volume
};

/// silu(LayerNorm(x)) over the channels of each voxel, with the weight and bias of `norm`; in
/// channels-last order without copies.
at::Tensor silu_of_voxels(const torch::nn::GroupNormImpl& norm, const at::Tensor& x);

/// Residual block: GroupNorm, SiLU, 3x3x3 convolution, scale and shift by an embedding (AdaGN;
/// Dhariwal & Nichol, NeurIPS 2021), GroupNorm, SiLU, zero-initialised 3x3x3 convolution, plus the
/// (projected) input.
class ResidualBlock3dImpl : public torch::nn::Module {
 public:
  /// `embedding_width` 0: no embedding. NormScope::kVoxel takes no embedding.
  ResidualBlock3dImpl(int64_t in_channels, int64_t out_channels, int64_t embedding_width,
                      NormScope scope = NormScope::kVolume);
  /// x [B,in,D,H,W]; embedding [B,E] or undefined -> [B,out,D,H,W].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& embedding = {});
  /// Keeps the input alone for the backward pass, which computes the block again.
  void checkpoint_activations(bool on) { checkpointing_ = on; }
  NormScope norm_scope() const { return scope_; }

 private:
  at::Tensor compute(const at::Tensor& x, const at::Tensor& embedding);

  NormScope scope_;
  bool checkpointing_ = false;
  torch::nn::GroupNorm norm1_{nullptr}, norm2_{nullptr};
  torch::nn::Conv3d conv1_{nullptr}, conv2_{nullptr}, skip_{nullptr};
  torch::nn::Linear modulation_{nullptr};
};
TORCH_MODULE(ResidualBlock3d);

}  // namespace guidegen
