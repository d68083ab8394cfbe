#include "guidegen/nn/patch_discriminator.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/blocks.hpp"

namespace guidegen {

PatchDiscriminatorImpl::PatchDiscriminatorImpl(int64_t dimensions, int64_t channels, int64_t width,
                                               int64_t layers)
    : dimensions_(dimensions) {
  const auto add = [&](int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    const auto name = concat("layer", flat_.size() + solid_.size());
    if (dimensions == 2) {
      flat_.push_back(register_module(
          name,
          torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(1))));
    } else {
      solid_.push_back(register_module(
          name,
          torch::nn::Conv3d(torch::nn::Conv3dOptions(in, out, kernel).stride(stride).padding(1))));
    }
  };
  int64_t in = channels;
  for (int64_t i = 0; i < layers; ++i) {
    const int64_t out = width << std::min<int64_t>(i, 3);
    add(in, out, 4, 2);
    if (i > 0) {
      norms_.push_back(register_module(
          concat("norm", i),
          torch::nn::GroupNorm(torch::nn::GroupNormOptions(norm_groups(out), out))));
    }
    in = out;
  }
  add(in, 1, 3, 1);
}

at::Tensor PatchDiscriminatorImpl::convolve(size_t layer, const at::Tensor& x) {
  return dimensions_ == 2 ? flat_[layer](x) : solid_[layer](x);
}

PatchDiscriminatorImpl::Judgement PatchDiscriminatorImpl::forward(const at::Tensor& x) {
  Judgement out;
  auto h = x;
  for (size_t i = 0; i <= norms_.size(); ++i) {
    h = convolve(i, h);
    if (i > 0) h = norms_[i - 1](h);
    h = torch::leaky_relu(h, 0.2);
    out.features.push_back(h);
  }
  out.logits = convolve(norms_.size() + 1, h);
  return out;
}

}  // namespace guidegen
