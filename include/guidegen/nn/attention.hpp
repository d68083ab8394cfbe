#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

namespace guidegen {

/// Multi-head attention of `queries` [B,N,Q] over `context` [B,T,C] -> [B,N,Q].
class AttentionImpl : public torch::nn::Module {
 public:
  AttentionImpl(int64_t query_width, int64_t context_width, int64_t heads);
  /// `present` [B,T] bool: false hides a context token; undefined: all present. Every row needs a
  /// present token.
  at::Tensor forward(const at::Tensor& queries, const at::Tensor& context,
                     const at::Tensor& present = {});

 private:
  int64_t heads_;
  torch::nn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, output_{nullptr};
};
TORCH_MODULE(Attention);

/// Knowledge injection (GuideGen): learned queries attend over the text features; LayerNorm,
/// projection and dropout follow. Gives a fixed number of tokens for one resolution of the UNet.
class KnowledgeInjectionImpl : public torch::nn::Module {
 public:
  KnowledgeInjectionImpl(int64_t queries, int64_t context_width, int64_t heads, double dropout);
  /// context [B,T,C], present [B,T] bool -> [B,queries,C].
  at::Tensor forward(const at::Tensor& context, const at::Tensor& present);

 private:
  at::Tensor queries_;
  Attention attention_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear projection_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};
TORCH_MODULE(KnowledgeInjection);

/// Lets every voxel of a feature map attend over itself (optional) and over text tokens; residual.
class SpatialAttentionImpl : public torch::nn::Module {
 public:
  SpatialAttentionImpl(int64_t channels, int64_t context_width, int64_t heads, bool self_attention);
  /// x [B,C,D,H,W]; context [B,T,W]; present [B,T] bool or undefined -> [B,C,D,H,W].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& context, const at::Tensor& present);

 private:
  torch::nn::GroupNorm norm_{nullptr};
  torch::nn::LayerNorm cross_norm_{nullptr};
  Attention self_{nullptr}, cross_{nullptr};
};
TORCH_MODULE(SpatialAttention);

}  // namespace guidegen
