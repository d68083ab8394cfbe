#include "guidegen/nn/unet3d.hpp"

#include <torch/torch.h>

#include "guidegen/nn/pointwise.hpp"

namespace guidegen {

UNet3dConfig UNet3dConfig::from_json(JsonObject object) {
  UNet3dConfig c;
  if (object.has("channels")) c.channels = object.integers("channels", 4, 4096);
  if (c.channels.empty() || c.channels.size() > 7) {
    object.fail("channels", concat("has ", c.channels.size(), " entries, expected 1 to 7"));
  }
  c.blocks = object.integer("blocks", 1, 8, c.blocks);
  c.attention_from = object.integer("attention_from", 0, 7, c.attention_from);
  c.self_attention = object.boolean("self_attention", c.self_attention);
  c.heads = object.integer("heads", 1, 64, c.heads);
  c.injection_queries = object.integer("injection_queries", 0, 256, c.injection_queries);
  c.dropout = object.number("dropout", 0.0, 0.9, c.dropout);
  object.finish();
  for (const auto channels : c.channels) {
    if (channels % c.heads != 0) {
      object.fail("heads", concat(c.heads, " does not divide ", channels, " channels"));
    }
  }
  return c;
}

Json UNet3dConfig::to_json() const {
  return {{"channels", channels},
          {"blocks", blocks},
          {"attention_from", attention_from},
          {"self_attention", self_attention},
          {"heads", heads},
          {"injection_queries", injection_queries},
          {"dropout", dropout}};
}

UNet3dImpl::UNet3dImpl(const UNet3dConfig& config, int64_t in_channels, int64_t embedding_width,
                       int64_t context_width)
    : config_(config) {
  input_ = register_module(
      "input",
      torch::nn::Conv3d(torch::nn::Conv3dOptions(in_channels, config.channels[0], 3).padding(1)));
  for (size_t level = 0; level < config.channels.size(); ++level) {
    build_level(level, embedding_width, context_width);
  }
  const int64_t deepest = config.channels.back();
  for (int i = 0; i < 2; ++i) {
    middle_.push_back(
        register_module(concat("middle", i), ResidualBlock3d(deepest, deepest, embedding_width)));
  }
}

void UNet3dImpl::build_level(size_t level, int64_t embedding_width, int64_t context_width) {
  const int64_t here = config_.channels[level];
  const bool coarsest = level + 1 == config_.channels.size();
  std::vector<ResidualBlock3d> down, up;
  for (int64_t i = 0; i < config_.blocks; ++i) {
    down.push_back(register_module(concat("down", level, "_block", i),
                                   ResidualBlock3d(here, here, embedding_width)));
    // The first block on the way up also takes the skip connection.
    up.push_back(register_module(concat("up", level, "_block", i),
                                 ResidualBlock3d(i == 0 ? 2 * here : here, here, embedding_width)));
  }
  down_blocks_.push_back(down);
  up_blocks_.push_back(up);
  if (!coarsest) {
    const int64_t next = config_.channels[level + 1];
    downsample_.push_back(register_module(
        concat("downsample", level),
        torch::nn::Conv3d(torch::nn::Conv3dOptions(here, next, 3).stride(2).padding(1))));
    upsample_.push_back(register_module(
        concat("upsample", level), torch::nn::Conv3d(torch::nn::Conv3dOptions(next, here, 1))));
  }
  if (static_cast<int64_t>(level) < config_.attention_from) return;
  const bool self = coarsest && config_.self_attention;
  down_attention_.push_back(
      register_module(concat("down", level, "_attention"),
                      SpatialAttention(here, context_width, config_.heads, self)));
  up_attention_.push_back(
      register_module(concat("up", level, "_attention"),
                      SpatialAttention(here, context_width, config_.heads, self)));
  if (config_.injection_queries > 0) {
    injection_.push_back(register_module(
        concat("injection", level), KnowledgeInjection(config_.injection_queries, context_width,
                                                       config_.heads, config_.dropout)));
  }
}

void UNet3dImpl::checkpoint_activations(const std::vector<int64_t>& levels) {
  const auto listed = [&levels](size_t level) {
    return std::find(levels.begin(), levels.end(), static_cast<int64_t>(level)) != levels.end();
  };
  for (size_t level = 0; level < config_.channels.size(); ++level) {
    for (auto& block : down_blocks_[level]) block->checkpoint_activations(listed(level));
    for (auto& block : up_blocks_[level]) block->checkpoint_activations(listed(level));
  }
  for (auto& block : middle_) block->checkpoint_activations(listed(config_.channels.size() - 1));
}

at::Tensor UNet3dImpl::attend(size_t level, const at::Tensor& x, const Context& context, bool up) {
  if (static_cast<int64_t>(level) < config_.attention_from) return x;
  const size_t slot = level - static_cast<size_t>(config_.attention_from);
  auto& attention = up ? up_attention_[slot] : down_attention_[slot];
  if (injection_.empty()) return attention(x, context.tokens, context.present);
  const auto injected = injection_[slot](context.tokens, context.present);
  const auto all_present =
      torch::ones({injected.size(0), injected.size(1)}, context.present.options());
  return attention(x, torch::cat({context.tokens, injected.to(context.tokens.dtype())}, 1),
                   torch::cat({context.present, all_present}, 1));
}

UNet3dImpl::Output UNet3dImpl::forward(const at::Tensor& x, const at::Tensor& embedding,
                                       const Context& context) {
  const size_t levels = config_.channels.size();
  std::vector<at::Tensor> skips;
  auto h = input_(x);
  for (size_t level = 0; level < levels; ++level) {
    for (auto& block : down_blocks_[level]) h = block(h, embedding);
    h = attend(level, h, context, false);
    skips.push_back(h);
    if (level + 1 < levels) h = downsample_[level](h);
  }
  for (auto& block : middle_) h = block(h, embedding);
  Output out;
  out.middle = h.mean({2, 3, 4});
  for (size_t level = levels; level-- > 0;) {
    if (level + 1 < levels) {
      // Project before enlarging: the 1x1x1 convolution then sees an eighth of the voxels.
      h = at::upsample_nearest3d(pointwise(upsample_[level], h), skips[level].sizes().slice(2));
    }
    h = torch::cat({h, skips[level]}, 1);
    bool first = true;
    for (auto& block : up_blocks_[level]) {
      h = block(h, embedding);
      if (first) h = attend(level, h, context, true);
      first = false;
    }
  }
  out.features = h;
  return out;
}

}  // namespace guidegen
