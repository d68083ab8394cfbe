#include "guidegen/stages/feature_generator.hpp"

#include <torch/torch.h>

#include "guidegen/data/stack_masks.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/pointwise.hpp"
#include "guidegen/nn/random_tensor.hpp"

namespace guidegen {

namespace {

constexpr int64_t kFactor = HdrAutoencoderImpl::kDownsampling;

std::string gaussian_prediction(const std::string& objective) {
  return objective == "v" ? "v" : "epsilon";
}

at::Tensor per_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1, 1}); }

}  // namespace

FeatureGeneratorImpl::FeatureGeneratorImpl(const FeatureGeneratorConfig& config, int64_t labels,
                                           int64_t latent_channels)
    : config_(config),
      gaussian_(NoiseSchedule(config.schedule, config.timesteps),
                gaussian_prediction(config.objective)),
      latent_channels_(latent_channels) {
  const int64_t wide = config.embedding_width;
  const int64_t folded = config.label_width * kFactor * kFactor * kFactor;
  prompt_encoder_ = register_module("prompt_encoder", AttributeEncoder(config.text_width));
  label_embedding_ =
      register_module("label_embedding", torch::nn::Embedding(labels, config.label_width));
  mask_fold_ = register_module(
      "mask_fold", torch::nn::Conv3d(torch::nn::Conv3dOptions(folded, config.mask_width, 1)));
  mask_block_ =
      register_module("mask_block", ResidualBlock3d(config.mask_width, config.mask_width, 0));
  time_ = register_module("time", torch::nn::Linear(64, wide));
  geometry_ = register_module("geometry", torch::nn::Linear(6, wide));
  pooled_ = register_module("pooled", torch::nn::Linear(config.text_width, wide));
  unet_ = register_module(
      "unet", UNet3d(config.unet, latent_channels + config.mask_width + config.label_width, wide,
                     config.text_width));
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

void FeatureGeneratorImpl::set_latent_statistics(const at::Tensor& mean,
                                                 const at::Tensor& deviation) {
  const torch::NoGradGuard no_grad;
  latent_mean_.copy_(mean);
  latent_deviation_.copy_(deviation.clamp_min(1e-6));
}

at::Tensor FeatureGeneratorImpl::encode_mask(const at::Tensor& mask) {
  const auto labels = label_embedding_(mask.to(at::kInt)).permute({0, 4, 1, 2, 3});
  const auto encoded = mask_block_(pointwise(mask_fold_, space_to_depth(labels, kFactor)));
  return torch::cat({encoded, block_mean(labels, kFactor).to(encoded.scalar_type())}, 1);
}

at::Tensor FeatureGeneratorImpl::forward(const at::Tensor& z, const at::Tensor& time,
                                         const Condition& condition) {
  return denoise(z, time, encode_mask(condition.mask), condition.text, condition.geometry);
}

at::Tensor FeatureGeneratorImpl::denoise(const at::Tensor& z, const at::Tensor& time,
                                         const at::Tensor& encoded_mask, const PromptFeatures& text,
                                         const at::Tensor& geometry) {
  const auto x = torch::cat({z.to(encoded_mask.scalar_type()), encoded_mask}, 1)
                     .contiguous(at::MemoryFormat::ChannelsLast3d);
  const auto embedding =
      time_(sinusoidal_features(time, 64, 1000.0)) + geometry_(geometry) + pooled_(text.pooled);
  const auto features = unet_->forward(x, embedding, {text.tokens, text.present}).features;
  const AutocastScope full_precision(AutocastState::off());
  return output_(silu_of(output_norm_, features.to(at::kFloat)));
}

StepInputs FeatureGeneratorImpl::prepare(const TrainingBatch& batch,
                                         const StepRandomness& randomness) const {
  StepInputs inputs;
  inputs.cases = batch;
  const auto masks = pad_to_multiple(stack_masks(batch), kFactor, 0);
  std::vector<at::Tensor> geometries, noises;
  std::vector<float> flow_times;
  std::vector<int64_t> steps;
  for (size_t i = 0; i < batch.size(); ++i) {
    const TrainingCase& item = *batch[i];
    auto choices = randomness.stream("stage3/choices", i);
    auto noise = randomness.stream("stage3/noise", i);
    geometries.push_back(geometry_features(item.geometry));
    inputs.prompts.push_back(
        drop_fields(item.prompt, config_.prompt_dropout, config_.field_dropout, choices));
    // Logit-normal times (Esser et al., ICML 2024): the middle of the path is the hard part.
    const double u = 1.0 / (1.0 + std::exp(-choices.normal()));
    flow_times.push_back(static_cast<float>(u));
    steps.push_back(1 + choices.integer(config_.timesteps));
    noises.push_back(random_normal(noise, {latent_channels_, masks.size(1) / kFactor,
                                           masks.size(2) / kFactor, masks.size(3) / kFactor}));
  }
  inputs.tensors = {
      {"mask", masks},
      {"geometry", torch::cat(geometries)},
      {"noise", torch::stack(noises)},
      {"time", config_.objective == "flow" ? torch::tensor(flow_times) : torch::tensor(steps)}};
  return inputs;
}

LossTerms FeatureGeneratorImpl::loss(const StepInputs& inputs, const at::Tensor& latents) {
  const Condition condition{prompt_encoder_->forward(inputs.prompts), inputs.tensor("mask"),
                            inputs.tensor("geometry")};
  const auto z = (latents - per_channel(latent_mean_)) / per_channel(latent_deviation_);
  const auto& noise = inputs.tensor("noise");
  const auto& t = inputs.tensor("time");
  at::Tensor output, target;
  if (config_.objective == "flow") {
    output = forward(RectifiedFlow::add_noise(z, noise, t), t, condition);
    target = RectifiedFlow::target(z, noise);
  } else {
    output = forward(gaussian_.add_noise(z, noise, t), t.to(at::kFloat) / double(config_.timesteps),
                     condition);
    target = gaussian_.target(z, noise, t);
  }
  LossTerms out;
  out.total = (output - target).square().mean();
  out.parts = {{config_.objective, out.total.detach()}};
  return out;
}

at::Tensor FeatureGeneratorImpl::sample(const Request& request,
                                        const std::function<void(int64_t, int64_t)>& on_step) {
  const torch::NoGradGuard no_grad;
  RandomStream stream(request.seed, request.case_id, "ct/noise");
  const auto device = label_embedding_->weight.device();
  const auto mask = pad_to_multiple(request.mask.data, kFactor, 0).to(device);
  const auto encoded_mask = encode_mask(mask);
  const auto geometry = geometry_features(request.mask.geometry).to(device);
  const auto encode = [&](const std::optional<Prompt>& prompt) {
    const auto text = prompt_encoder_->forward({prompt});
    return request.graphed ? with_round_length(text) : text;
  };
  const PromptFeatures with = encode(request.prompt), without = encode(std::nullopt);
  const auto network = [&](const at::Tensor& z, const at::Tensor& t, const PromptFeatures& text) {
    if (!request.graphed) return denoise(z, t, encoded_mask, text, geometry);
    // The next replay overwrites the result of this one.
    return graphed_denoise_({z, t, encoded_mask, text.tokens, text.present, text.pooled, geometry})
        .clone();
  };
  const auto predict = [&](const at::Tensor& z, double time) {
    const auto t = torch::full({z.size(0)}, time, z.options());
    auto output = network(z, t, with);
    if (request.text_guidance != 1.0) {
      const auto free = network(z, t, without);
      output = free + request.text_guidance * (output - free);
    }
    return output;
  };
  const auto noise =
      queue_to(random_normal(stream, {1, latent_channels_, mask.size(1) / kFactor,
                                      mask.size(2) / kFactor, mask.size(3) / kFactor}),
               device);
  at::Tensor z;
  if (config_.objective == "flow") {
    z = sample_flow(predict, noise, request.steps, config_.solver, config_.time_shift, on_step);
  } else {
    z = gaussian_.sample_ddim(
        [&](const at::Tensor& x, int64_t t) {
          return predict(x, double(t) / double(config_.timesteps));
        },
        noise, request.steps, on_step);
  }
  return z * per_channel(latent_deviation_) + per_channel(latent_mean_);
}

FeatureGeneratorConfig FeatureGeneratorConfig::from_json(JsonObject object) {
  FeatureGeneratorConfig c;
  if (object.has("unet")) c.unet = UNet3dConfig::from_json(object.object("unet"));
  c.label_width = object.integer("label_width", 1, 256, c.label_width);
  c.mask_width = object.integer("mask_width", 4, 1024, c.mask_width);
  c.text_width = object.integer("text_width", 4, 4096, c.text_width);
  c.embedding_width = object.integer("embedding_width", 4, 4096, c.embedding_width);
  c.objective = object.choice("objective", {"flow", "epsilon", "v"}, c.objective);
  c.schedule = object.choice("schedule", {"cosine", "linear"}, c.schedule);
  c.timesteps = object.integer("timesteps", 2, 100000, c.timesteps);
  c.time_shift = object.number("time_shift", 1, 100, c.time_shift);
  c.prompt_dropout = object.number("prompt_dropout", 0, 1, c.prompt_dropout);
  c.field_dropout = object.number("field_dropout", 0, 1, c.field_dropout);
  c.sampling_steps = object.integer("sampling_steps", 1, 100000, c.sampling_steps);
  c.solver = object.choice("solver", {"euler", "heun"}, c.solver);
  c.text_guidance = object.number("text_guidance", 0, 100, c.text_guidance);
  c.sample_posterior = object.boolean("sample_posterior", c.sample_posterior);
  object.finish();
  return c;
}

Json FeatureGeneratorConfig::to_json() const {
  Json json = {{"unet", unet.to_json()},
               {"label_width", label_width},
               {"mask_width", mask_width},
               {"text_width", text_width},
               {"embedding_width", embedding_width},
               {"objective", objective},
               {"schedule", schedule},
               {"timesteps", timesteps},
               {"time_shift", time_shift},
               {"prompt_dropout", prompt_dropout},
               {"field_dropout", field_dropout},
               {"sampling_steps", sampling_steps},
               {"solver", solver},
               {"text_guidance", text_guidance}};
  // Left out otherwise, so that runs of before there was a choice can go on.
  if (sample_posterior) json["sample_posterior"] = true;
  return json;
}

}  // namespace guidegen
