#include "guidegen/nn/blocks.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/checkpointed.hpp"
#include "guidegen/nn/group_norm.hpp"
#include "guidegen/nn/pointwise.hpp"

namespace guidegen {

int64_t norm_groups(int64_t channels) {
  for (int64_t groups = std::min<int64_t>(8, channels); groups > 1; --groups) {
    if (channels % groups == 0) return groups;
  }
  return 1;
}

at::Tensor sinusoidal_features(const at::Tensor& value, int64_t width, double scale) {
  const int64_t half = width / 2;
  const auto rate =
      torch::exp(torch::arange(half, value.options()) * (-std::log(10000.0) / double(half)));
  const auto angle = (value * scale).unsqueeze(1) * rate.unsqueeze(0);
  return torch::cat({angle.sin(), angle.cos()}, 1);
}

at::Tensor space_to_depth(const at::Tensor& x, int64_t f) {
  const auto b = x.size(0), c = x.size(1), d = x.size(2), h = x.size(3), w = x.size(4);
  // Work in channels-last order: the copy then comes out in the order that convolutions prefer.
  auto v = x.permute({0, 2, 3, 4, 1}).reshape({b, d / f, f, h / f, f, w / f, f, c});
  v = v.permute({0, 1, 3, 5, 2, 4, 6, 7}).reshape({b, d / f, h / f, w / f, f * f * f * c});
  return v.permute({0, 4, 1, 2, 3});
}

at::Tensor depth_to_space(const at::Tensor& x, int64_t f) {
  const auto b = x.size(0), d = x.size(2), h = x.size(3), w = x.size(4);
  const auto c = x.size(1) / (f * f * f);
  auto v = x.permute({0, 2, 3, 4, 1}).reshape({b, d, h, w, f, f, f, c});
  v = v.permute({0, 1, 4, 2, 5, 3, 6, 7}).reshape({b, d * f, h * f, w * f, c});
  return v.permute({0, 4, 1, 2, 3});
}

at::Tensor pad_to_multiple(const at::Tensor& x, int64_t factor, double value) {
  std::vector<int64_t> pad;
  bool needed = false;
  for (int64_t axis = 1; axis <= 3; ++axis) {
    const int64_t extra = (factor - x.size(-axis) % factor) % factor;
    needed = needed || extra > 0;
    pad.push_back(0);
    pad.push_back(extra);
  }
  return needed ? at::constant_pad_nd(x, pad, value) : x;
}

at::Tensor silu_of(const torch::nn::GroupNorm& norm, const at::Tensor& x, const at::Tensor& scale,
                   const at::Tensor& shift) {
  return group_norm_silu(x, norm->options.num_groups(), norm->weight, norm->bias, scale, shift,
                         norm->options.eps());
}

at::Tensor silu_of_voxels(const torch::nn::GroupNormImpl& norm, const at::Tensor& x) {
  const auto last = x.permute({0, 2, 3, 4, 1}).contiguous();
  auto y = at::layer_norm(last, {x.size(1)}, norm.weight, norm.bias, norm.options.eps());
  y = at::GradMode::is_enabled() ? at::silu(y) : at::silu_(y);
  return y.permute({0, 4, 1, 2, 3});
}

ResidualBlock3dImpl::ResidualBlock3dImpl(int64_t in_channels, int64_t out_channels,
                                         int64_t embedding_width, NormScope scope)
    : scope_(scope) {
  if (scope == NormScope::kVoxel && embedding_width > 0) {
    throw_failure("residual block: norms of voxels take no embedding");
  }
  norm1_ = register_module("norm1", torch::nn::GroupNorm(norm_groups(in_channels), in_channels));
  conv1_ = register_module(
      "conv1",
      torch::nn::Conv3d(torch::nn::Conv3dOptions(in_channels, out_channels, 3).padding(1)));
  norm2_ = register_module("norm2", torch::nn::GroupNorm(norm_groups(out_channels), out_channels));
  conv2_ = register_module(
      "conv2",
      torch::nn::Conv3d(torch::nn::Conv3dOptions(out_channels, out_channels, 3).padding(1)));
  torch::nn::init::zeros_(conv2_->weight);  // the block starts as the identity
  torch::nn::init::zeros_(conv2_->bias);
  if (in_channels != out_channels) {
    skip_ = register_module(
        "skip", torch::nn::Conv3d(torch::nn::Conv3dOptions(in_channels, out_channels, 1)));
  }
  if (embedding_width > 0) {
    modulation_ =
        register_module("modulation", torch::nn::Linear(embedding_width, 2 * out_channels));
  }
}

at::Tensor ResidualBlock3dImpl::forward(const at::Tensor& x, const at::Tensor& embedding) {
  if (!checkpointing_) return compute(x, embedding);
  return checkpointed([this](const at::Tensor& input,
                             const at::Tensor& condition) { return compute(input, condition); },
                      x, embedding);
}

at::Tensor ResidualBlock3dImpl::compute(const at::Tensor& x, const at::Tensor& embedding) {
  if (scope_ == NormScope::kVoxel) {
    const auto h = conv2_(silu_of_voxels(*norm2_, conv1_(silu_of_voxels(*norm1_, x))));
    return h + (skip_.is_empty() ? x : pointwise(skip_, x));
  }
  auto h = conv1_(silu_of(norm1_, x));
  if (modulation_.is_empty()) {
    h = silu_of(norm2_, h);
  } else {
    const auto parts = modulation_(torch::silu(embedding)).chunk(2, 1);
    h = silu_of(norm2_, h, parts[0], parts[1]);
  }
  h = conv2_(h);
  return h + (skip_.is_empty() ? x : pointwise(skip_, x));
}

}  // namespace guidegen
