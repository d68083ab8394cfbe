#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include <functional>
#include <optional>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/data/body_position.hpp"
#include "guidegen/diffusion/gaussian.hpp"
#include "guidegen/nn/graphed_function.hpp"
#include "guidegen/nn/unet3d.hpp"
#include "guidegen/stages/feature_generator_config.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/text/attribute_encoder.hpp"

namespace guidegen {

/// What the feature generator knows of where an image lies: geometry_features(), and bottom and top
/// along the body in units of 400 mm and 1, or three zeros where that is not known. [1,9] float32.
at::Tensor place_features(const ImageGeometry& geometry,
                          const std::optional<BodyPosition>& position);

/// What is to be drawn by the feature generator.
struct LatentRequest {
  Prompt prompt;
  /// Labels [1,D,H,W], any size, in RAS; undefined data: no mask, its grid alone counts.
  Volume mask;
  /// The same mask otherwise labelled, for a pair of CTs of one patient; undefined: no pair.
  at::Tensor counterpart;
  Prompt counterpart_prompt;  ///< that goes with it
  /// Latents [1,Z,D/4,H/4,W/4] of the coarse CT to refine, brought to the mask's grid; for models
  /// of low_resolution alone.
  at::Tensor coarse;
  uint64_t seed = 0;
  std::string case_id;
  int64_t steps = 20;
  std::string solver = "auto";
  double text_guidance = 1.0;
  double mask_guidance = 1.0;
  /// Latent voxels (D,H,W) that the network sees at once; absent: all. Volumes larger than that are
  /// drawn in overlapping tiles.
  std::optional<std::array<int64_t, 3>> tile;
  bool graphed = false;  ///< replay network calls as CUDA graphs
};

/// p(z | mask, prompt) over the latents of a frozen HDR autoencoder. The mask is encoded by its own
/// encoder, and the mean of its label embedding over each latent voxel is concatenated as well;
/// text enters by cross-attention; spacing, field of view and position along the body by embedding.
class FeatureGeneratorImpl : public torch::nn::Module {
 public:
  FeatureGeneratorImpl(const FeatureGeneratorConfig& config, const Vocabulary& vocabulary,
                       int64_t latent_channels);

  struct Condition {
    PromptFeatures text;
    at::Tensor mask;   ///< labels [B,D,H,W], sizes multiples of 4; no_label() where there is none
    at::Tensor place;  ///< [B,9], see place_features
    /// [B,Z,D/4,H/4,W/4] latents of the coarse CT, normalised like z; of low_resolution alone.
    at::Tensor coarse{};
  };
  /// z [B,Z,D/4,H/4,W/4] normalised latents; time [B] in [0,1] -> network output, same shape,
  /// float32.
  at::Tensor forward(const at::Tensor& z, const at::Tensor& time, const Condition& condition);

  /// Prompts as `text_condition` lets the network see them; nullopt: no prompt.
  PromptFeatures encode_prompts(const std::vector<std::optional<Prompt>>& prompts);
  /// The part of forward that stays the same for every z, of the mask and the coarse CT:
  /// [B,M,D/4,H/4,W/4], undefined where the network is given neither.
  at::Tensor encode_image(const at::Tensor& mask, const at::Tensor& coarse);
  /// The rest of it. May be replayed as a CUDA graph: the result is then overwritten by the next
  /// call of these shapes.
  at::Tensor denoise(const at::Tensor& z, const at::Tensor& time, const at::Tensor& image,
                     const PromptFeatures& text, const at::Tensor& place, bool graphed = false);

  /// Draws latents [1,Z,D/4,H/4,W/4] (sizes rounded up), on the autoencoder's own scale and the
  /// device of the network; [2,…] with a counterpart, whose latents come second and are those of
  /// the mask but within 2 latent voxels of where the labels differ. A function of the weights and
  /// the request alone. Throws Error(kUsage) for a solver that does not go with the objective.
  at::Tensor sample(const LatentRequest& request,
                    const std::function<void(int64_t, int64_t)>& on_step = {});

  /// Sets the per-channel mean and deviation by which latents are normalised, [Z] each.
  void set_latent_statistics(const at::Tensor& mean, const at::Tensor& deviation);
  at::Tensor normalized(const at::Tensor& latents) const;    ///< [B,Z,…]
  at::Tensor denormalized(const at::Tensor& latents) const;  ///< the inverse

  /// See UNet3dImpl.
  void checkpoint_activations(const std::vector<int64_t>& levels) {
    unet_->checkpoint_activations(levels);
  }

  const FeatureGeneratorConfig& config() const { return config_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const GaussianDiffusion& gaussian() const { return gaussian_; }  ///< of "epsilon" and "v"
  int64_t latent_channels() const { return latent_channels_; }
  int64_t no_label() const { return vocabulary_.size(); }  ///< stands for "no mask"
  at::Device device() const { return output_->weight.device(); }

 private:
  at::Tensor run_network(const at::Tensor& z, const at::Tensor& time, const at::Tensor& image,
                         const PromptFeatures& text, const at::Tensor& place);
  int64_t build_mask_encoder();
  at::Tensor encode_mask(const at::Tensor& mask);

  FeatureGeneratorConfig config_;
  Vocabulary vocabulary_;
  GaussianDiffusion gaussian_;
  int64_t latent_channels_;
  AttributeEncoder prompt_encoder_{nullptr};
  torch::nn::Embedding label_embedding_{nullptr};  // row no_label() stands for "no mask"
  torch::nn::Conv3d mask_fold_{nullptr};
  ResidualBlock3d mask_block_{nullptr};
  torch::nn::Linear time_{nullptr}, place_{nullptr}, pooled_{nullptr};
  UNet3d unet_{nullptr};
  torch::nn::GroupNorm output_norm_{nullptr};
  torch::nn::Conv3d output_{nullptr};
  at::Tensor latent_mean_, latent_deviation_;  // buffers [Z]
  // run_network of z, time, tokens, present, pooled, place and, where there is one, encode_image().
  // Recordings read the weights where they lay: for networks that neither move nor train.
  GraphedFunction graphed_network_{[this](const std::vector<at::Tensor>& in) {
    return run_network(in[0], in[1], in.size() > 6 ? in[6] : at::Tensor(), {in[2], in[3], in[4]},
                       in[5]);
  }};
};
TORCH_MODULE(FeatureGenerator);

}  // namespace guidegen
