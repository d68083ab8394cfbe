#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include "guidegen/diffusion/flow.hpp"
#include "guidegen/diffusion/gaussian.hpp"
#include "guidegen/nn/graphed_function.hpp"
#include "guidegen/nn/unet3d.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/text/attribute_encoder.hpp"

namespace guidegen {

/// Stage III, the feature generator. JSON keys are the member names.
struct FeatureGeneratorConfig {
  UNet3dConfig unet;
  int64_t label_width = 8;  ///< width of the label embedding
  int64_t mask_width = 48;  ///< channels of the mask encoder's output
  int64_t text_width = 64;
  int64_t embedding_width = 128;
  std::string objective = "flow";   ///< "flow", "epsilon" or "v"
  std::string schedule = "cosine";  ///< of "epsilon" and "v"
  int64_t timesteps = 1000;         ///< of "epsilon" and "v"
  double time_shift = 1.0;          ///< of "flow": bends the sampling grid towards noise
  double prompt_dropout = 0.1;
  double field_dropout = 0.15;
  int64_t sampling_steps = 20;
  std::string solver = "euler";  ///< of "flow": "euler" or "heun"
  double text_guidance = 1.0;
  /// Train on a fresh sample of each posterior in every step, instead of its mean.
  bool sample_posterior = false;

  static FeatureGeneratorConfig from_json(JsonObject object);
  Json to_json() const;
};

/// p(z | mask, prompt) over the latents of a frozen HDR autoencoder. The mask is encoded by its own
/// encoder, and the mean of its label embedding over each latent voxel is concatenated as well;
/// text enters by cross-attention.
class FeatureGeneratorImpl : public torch::nn::Module {
 public:
  FeatureGeneratorImpl(const FeatureGeneratorConfig& config, int64_t labels,
                       int64_t latent_channels);

  struct Condition {
    PromptFeatures text;
    at::Tensor mask;      ///< labels [B,D,H,W], sizes multiples of 4
    at::Tensor geometry;  ///< [B,6]
  };
  /// z [B,Z,D/4,H/4,W/4] normalised latents; time [B] in [0,1] -> network output, same shape,
  /// float32.
  at::Tensor forward(const at::Tensor& z, const at::Tensor& time, const Condition& condition);

  /// Draws time and noise: tensors mask [B,D,H,W] labels, geometry [B,6], noise of the latent's
  /// shape, time [B]. May run on any thread.
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const;
  /// `latents` [B,Z,D/4,H/4,W/4] as the autoencoder gives them, one a case.
  LossTerms loss(const StepInputs& inputs, const at::Tensor& latents);

  /// Sets the per-channel mean and deviation by which latents are normalised, [Z] each.
  void set_latent_statistics(const at::Tensor& mean, const at::Tensor& deviation);

  struct Request {
    Prompt prompt;
    Volume mask;  ///< labels [1,D,H,W], any size
    uint64_t seed = 0;
    std::string case_id;
    int64_t steps = 20;
    double text_guidance = 1.0;
    bool graphed = false;  ///< replay network calls as CUDA graphs, see graphed_denoise_
  };
  /// Draws latents [1,Z,D/4,H/4,W/4] (sizes rounded up), on the autoencoder's own scale.
  at::Tensor sample(const Request& request,
                    const std::function<void(int64_t, int64_t)>& on_step = {});

  /// See UNet3dImpl.
  void checkpoint_activations(const std::vector<int64_t>& levels) {
    unet_->checkpoint_activations(levels);
  }

  const FeatureGeneratorConfig& config() const { return config_; }

 private:
  // The part of forward that stays the same for every z.
  at::Tensor encode_mask(const at::Tensor& mask);
  at::Tensor denoise(const at::Tensor& z, const at::Tensor& time, const at::Tensor& encoded_mask,
                     const PromptFeatures& text, const at::Tensor& geometry);

  FeatureGeneratorConfig config_;
  GaussianDiffusion gaussian_;
  int64_t latent_channels_;
  AttributeEncoder prompt_encoder_{nullptr};
  torch::nn::Embedding label_embedding_{nullptr};
  torch::nn::Conv3d mask_fold_{nullptr};
  ResidualBlock3d mask_block_{nullptr};
  torch::nn::Linear time_{nullptr}, geometry_{nullptr}, pooled_{nullptr};
  UNet3d unet_{nullptr};
  torch::nn::GroupNorm output_norm_{nullptr};
  torch::nn::Conv3d output_{nullptr};
  at::Tensor latent_mean_, latent_deviation_;  // buffers [Z]
  // denoise of z, time, encoded mask, tokens, present, pooled, geometry. Recordings read the
  // weights where they lay: for networks that neither move nor train.
  GraphedFunction graphed_denoise_{[this](const std::vector<at::Tensor>& in) {
    return denoise(in[0], in[1], in[2], {in[3], in[4], in[5]}, in[6]);
  }};
};
TORCH_MODULE(FeatureGenerator);

}  // namespace guidegen
