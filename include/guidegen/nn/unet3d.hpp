#pragma once

#include <vector>

#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/nn/attention.hpp"
#include "guidegen/nn/blocks.hpp"

namespace guidegen {

/// Shape of a UNet3d. JSON keys are the member names.
struct UNet3dConfig {
  std::vector<int64_t> channels{24, 48, 96};  ///< one entry a resolution, finest first
  int64_t blocks = 1;                         ///< residual blocks a resolution, each way
  int64_t attention_from = 1;  ///< first resolution (0 = finest) that attends over the text
  bool self_attention = true;  ///< at the coarsest resolution
  int64_t heads = 4;
  int64_t injection_queries =
      4;                 ///< learned queries a resolution; 0 switches knowledge injection off
  double dropout = 0.0;  ///< inside knowledge injection

  static UNet3dConfig from_json(JsonObject object);
  Json to_json() const;
};

/// 3-D UNet (Ronneberger et al., MICCAI 2015; residual and conditioned as in Dhariwal & Nichol,
/// NeurIPS 2021). Any D,H,W >= 2^(levels-1): odd sizes are handled by resizing to each skip
/// connection.
class UNet3dImpl : public torch::nn::Module {
 public:
  UNet3dImpl(const UNet3dConfig& config, int64_t in_channels, int64_t embedding_width,
             int64_t context_width);

  /// Text features for cross-attention.
  struct Context {
    at::Tensor tokens;   ///< [B,T,C] float32
    at::Tensor present;  ///< [B,T] bool
  };
  struct Output {
    at::Tensor features;  ///< [B,channels[0],D,H,W]
    at::Tensor middle;    ///< [B,channels.back()], mean over voxels of the coarsest features
  };
  /// x [B,in,D,H,W]; embedding [B,E] (time, geometry, pooled text).
  Output forward(const at::Tensor& x, const at::Tensor& embedding, const Context& context);

  /// Residual blocks of these resolutions (0 = finest) compute their activations again in the
  /// backward pass; the middle counts as the coarsest.
  void checkpoint_activations(const std::vector<int64_t>& levels);

  int64_t out_channels() const { return config_.channels.front(); }

 private:
  void build_level(size_t level, int64_t embedding_width, int64_t context_width);
  at::Tensor attend(size_t level, const at::Tensor& x, const Context& context, bool up);

  UNet3dConfig config_;
  torch::nn::Conv3d input_{nullptr};
  std::vector<std::vector<ResidualBlock3d>> down_blocks_, up_blocks_;
  std::vector<torch::nn::Conv3d> downsample_, upsample_;
  std::vector<SpatialAttention> down_attention_, up_attention_;  // empty below attention_from
  std::vector<KnowledgeInjection> injection_;
  std::vector<ResidualBlock3d> middle_;
};
TORCH_MODULE(UNet3d);

}  // namespace guidegen
