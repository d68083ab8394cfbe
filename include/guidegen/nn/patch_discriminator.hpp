#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <vector>

namespace guidegen {

/// Patch discriminator (Isola et al., "pix2pix", CVPR 2017) of images in two or three dimensions:
/// strided convolutions of 4 voxels with leaky ReLU, group normalization from the second on. Each
/// output voxel judges the patch that it sees: positive for real, negative for made.
class PatchDiscriminatorImpl : public torch::nn::Module {
 public:
  /// `dimensions` 2 or 3; `layers` that halve the resolution, at least 1; `width` channels of the
  /// first, doubled up to eight times as many.
  PatchDiscriminatorImpl(int64_t dimensions, int64_t channels, int64_t width, int64_t layers);

  struct Judgement {
    at::Tensor logits;                 ///< [N,1,...]
    std::vector<at::Tensor> features;  ///< of each layer, for feature matching
  };
  /// x [N,C,H,W] or [N,C,D,H,W], each size at least 2^layers.
  Judgement forward(const at::Tensor& x);

 private:
  at::Tensor convolve(size_t layer, const at::Tensor& x);

  int64_t dimensions_;
  std::vector<torch::nn::Conv2d> flat_;
  std::vector<torch::nn::Conv3d> solid_;
  std::vector<torch::nn::GroupNorm> norms_;
};
TORCH_MODULE(PatchDiscriminator);

}  // namespace guidegen
