#include "guidegen/nn/attention.hpp"

#include <torch/torch.h>

#include "guidegen/nn/blocks.hpp"

namespace guidegen {

AttentionImpl::AttentionImpl(int64_t query_width, int64_t context_width, int64_t heads)
    : heads_(heads) {
  query_ = register_module("query", torch::nn::Linear(query_width, query_width));
  key_ = register_module("key", torch::nn::Linear(context_width, query_width));
  value_ = register_module("value", torch::nn::Linear(context_width, query_width));
  output_ = register_module("output", torch::nn::Linear(query_width, query_width));
}

at::Tensor AttentionImpl::forward(const at::Tensor& queries, const at::Tensor& context,
                                  const at::Tensor& present) {
  const auto split = [this](const at::Tensor& x) {
    return x.view({x.size(0), x.size(1), heads_, -1}).transpose(1, 2);
  };
  std::optional<at::Tensor> mask;
  if (present.defined()) mask = present.unsqueeze(1).unsqueeze(1);
  const auto out = at::scaled_dot_product_attention(split(query_(queries)), split(key_(context)),
                                                    split(value_(context)), mask);
  return output_(out.transpose(1, 2).flatten(2));
}

KnowledgeInjectionImpl::KnowledgeInjectionImpl(int64_t queries, int64_t context_width,
                                               int64_t heads, double dropout) {
  queries_ = register_parameter("queries", torch::randn({1, queries, context_width}) * 0.5);
  attention_ = register_module("attention", Attention(context_width, context_width, heads));
  norm_ =
      register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({context_width})));
  projection_ = register_module("projection", torch::nn::Linear(context_width, context_width));
  dropout_ = register_module("dropout", torch::nn::Dropout(dropout));
}

at::Tensor KnowledgeInjectionImpl::forward(const at::Tensor& context, const at::Tensor& present) {
  const auto queries = queries_.expand({context.size(0), -1, -1});
  return dropout_(projection_(norm_(queries + attention_(queries, context, present))));
}

SpatialAttentionImpl::SpatialAttentionImpl(int64_t channels, int64_t context_width, int64_t heads,
                                           bool self_attention) {
  norm_ = register_module("norm", torch::nn::GroupNorm(norm_groups(channels), channels));
  if (self_attention) self_ = register_module("self", Attention(channels, channels, heads));
  cross_norm_ =
      register_module("cross_norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels})));
  cross_ = register_module("cross", Attention(channels, context_width, heads));
}

at::Tensor SpatialAttentionImpl::forward(const at::Tensor& x, const at::Tensor& context,
                                         const at::Tensor& present) {
  auto tokens = norm_(x).flatten(2).transpose(1, 2).contiguous();  // [B,N,C]
  auto change = tokens;
  if (!self_.is_empty()) {
    change = self_(tokens, tokens);
    change = change + cross_(cross_norm_(tokens + change), context, present);
  } else {
    change = cross_(cross_norm_(tokens), context, present);
  }
  return x + change.transpose(1, 2).reshape(x.sizes()).to(x.dtype());
}

}  // namespace guidegen
