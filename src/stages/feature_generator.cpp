#include "guidegen/stages/feature_generator.hpp"

#include <torch/torch.h>

#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/pointwise.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "stages/latent_sampler.hpp"

namespace guidegen {

namespace {

constexpr int64_t kFactor = HdrAutoencoderImpl::kDownsampling;
constexpr int64_t kPlaceWidth = 9;

std::string gaussian_prediction(const std::string& objective) {
  return objective == "v" ? "v" : "epsilon";
}

at::Tensor per_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1, 1}); }

}  // namespace

at::Tensor place_features(const ImageGeometry& geometry,
                          const std::optional<BodyPosition>& position) {
  constexpr double kUnitMm = 400;
  std::vector<float> values(3, 0.0F);
  if (position) {
    values = {static_cast<float>(position->bottom_mm / kUnitMm),
              static_cast<float>(position->top_mm / kUnitMm), 1.0F};
  }
  return torch::cat({geometry_features(geometry), torch::tensor(values).unsqueeze(0)}, 1);
}

FeatureGeneratorImpl::FeatureGeneratorImpl(const FeatureGeneratorConfig& config,
                                           const Vocabulary& vocabulary, int64_t latent_channels)
    : config_(config),
      vocabulary_(vocabulary),
      gaussian_(NoiseSchedule(config.schedule, config.timesteps),
                gaussian_prediction(config.objective)),
      latent_channels_(latent_channels) {
  const int64_t wide = config.embedding_width;
  prompt_encoder_ = register_module("prompt_encoder", AttributeEncoder(config.text_width));
  const int64_t image_channels =
      build_mask_encoder() + (config.low_resolution > 0 ? latent_channels : 0);
  time_ = register_module("time", torch::nn::Linear(64, wide));
  place_ = register_module("geometry", torch::nn::Linear(kPlaceWidth, wide));
  pooled_ = register_module("pooled", torch::nn::Linear(config.text_width, wide));
  unet_ = register_module(
      "unet", UNet3d(config.unet, latent_channels + image_channels, wide, config.text_width));
  output_norm_ = register_module(
      "output_norm",
      torch::nn::GroupNorm(norm_groups(unet_->out_channels()), unet_->out_channels()));
  output_ = register_module(
      "output",
      torch::nn::Conv3d(
          torch::nn::Conv3dOptions(unet_->out_channels(), latent_channels, 3).padding(1)));
  torch::nn::init::zeros_(output_->weight);
  torch::nn::init::zeros_(output_->bias);
  latent_mean_ = register_buffer("latent_mean", torch::zeros({latent_channels}));
  latent_deviation_ = register_buffer("latent_deviation", torch::ones({latent_channels}));
}

int64_t FeatureGeneratorImpl::build_mask_encoder() {
  const auto& c = config_;
  if (c.mask_condition == "none") return 0;
  label_embedding_ =
      register_module("label_embedding", torch::nn::Embedding(no_label() + 1, c.label_width));
  const int64_t folded = c.label_width * kFactor * kFactor * kFactor;
  if (c.mask_condition == "concatenated") return c.space == "pixels" ? folded : c.label_width;
  mask_fold_ = register_module(
      "mask_fold", torch::nn::Conv3d(torch::nn::Conv3dOptions(folded, c.mask_width, 1)));
  mask_block_ = register_module("mask_block", ResidualBlock3d(c.mask_width, c.mask_width, 0));
  return c.mask_width + (c.mask_condition == "both" ? c.label_width : 0);
}

void FeatureGeneratorImpl::set_latent_statistics(const at::Tensor& mean,
                                                 const at::Tensor& deviation) {
  const torch::NoGradGuard no_grad;
  latent_mean_.copy_(mean);
  latent_deviation_.copy_(deviation.clamp_min(1e-6));
}

at::Tensor FeatureGeneratorImpl::normalized(const at::Tensor& latents) const {
  return (latents - per_channel(latent_mean_)) / per_channel(latent_deviation_);
}

at::Tensor FeatureGeneratorImpl::denormalized(const at::Tensor& latents) const {
  return latents * per_channel(latent_deviation_) + per_channel(latent_mean_);
}

PromptFeatures FeatureGeneratorImpl::encode_prompts(
    const std::vector<std::optional<Prompt>>& prompts) {
  if (config_.text_condition == "tokens") return prompt_encoder_->forward(prompts);
  auto features = prompt_encoder_->forward({prompts.size(), std::nullopt});
  if (config_.text_condition == "pooled")
    features.pooled = prompt_encoder_->forward(prompts).pooled;
  return features;
}

at::Tensor FeatureGeneratorImpl::encode_mask(const at::Tensor& mask) {
  if (config_.mask_condition == "none") return {};
  const auto labels = label_embedding_(mask.to(at::kInt)).permute({0, 4, 1, 2, 3});
  if (config_.mask_condition == "concatenated" && config_.space == "pixels") {
    return space_to_depth(labels, kFactor);
  }
  const auto mean = block_mean(labels, kFactor);
  if (config_.mask_condition == "concatenated") return mean;
  const auto encoded = mask_block_(pointwise(mask_fold_, space_to_depth(labels, kFactor)));
  if (config_.mask_condition == "encoded") return encoded;
  return torch::cat({encoded, mean.to(encoded.scalar_type())}, 1);
}

at::Tensor FeatureGeneratorImpl::forward(const at::Tensor& z, const at::Tensor& time,
                                         const Condition& condition) {
  return run_network(z, time, encode_image(condition.mask, condition.coarse), condition.text,
                     condition.place);
}

at::Tensor FeatureGeneratorImpl::encode_image(const at::Tensor& mask, const at::Tensor& coarse) {
  const auto encoded = encode_mask(mask);
  if (config_.low_resolution == 0) return encoded;
  if (!encoded.defined()) return coarse;
  return torch::cat({encoded, coarse.to(encoded.scalar_type())}, 1);
}

at::Tensor FeatureGeneratorImpl::denoise(const at::Tensor& z, const at::Tensor& time,
                                         const at::Tensor& image, const PromptFeatures& text,
                                         const at::Tensor& place, bool graphed) {
  if (!graphed) return run_network(z, time, image, text, place);
  std::vector<at::Tensor> inputs = {z, time, text.tokens, text.present, text.pooled, place};
  if (image.defined()) inputs.push_back(image);
  return graphed_network_(inputs);
}

at::Tensor FeatureGeneratorImpl::run_network(const at::Tensor& z, const at::Tensor& time,
                                             const at::Tensor& image, const PromptFeatures& text,
                                             const at::Tensor& place) {
  auto x = z;
  if (image.defined()) {
    x = torch::cat({z.to(image.scalar_type()), image}, 1);
  }
  x = x.contiguous(at::MemoryFormat::ChannelsLast3d);
  const auto embedding =
      time_(sinusoidal_features(time, 64, 1000.0)) + place_(place) + pooled_(text.pooled);
  const auto features = unet_->forward(x, embedding, {text.tokens, text.present}).features;
  const AutocastScope full_precision(AutocastState::off());
  return output_(silu_of(output_norm_, features.to(at::kFloat)));
}

at::Tensor FeatureGeneratorImpl::sample(const LatentRequest& request,
                                        const std::function<void(int64_t, int64_t)>& on_step) {
  const torch::NoGradGuard no_grad;
  return LatentSampler(*this, request).run(on_step);
}

}  // namespace guidegen
