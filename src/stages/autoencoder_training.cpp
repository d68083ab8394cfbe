#include "guidegen/stages/autoencoder_training.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/volume/tissue_classes.hpp"
#include "stages/balanced_weights.hpp"
#include "stages/crop_placement.hpp"

namespace guidegen {

namespace {

// The same crop of CT and mask: float32 [1,c,c,c] and labels [c,c,c].
std::pair<at::Tensor, at::Tensor> random_crop(const TrainingCase& item,
                                              const HdrAutoencoderConfig& config,
                                              RandomStream& stream) {
  const Extent size = {item.ct.size(0), item.ct.size(1), item.ct.size(2)};
  Extent extent{};
  for (size_t axis = 0; axis < 3; ++axis) {
    extent[axis] = std::min(config.crop, size[axis] / 4 * 4);
  }
  const Box box = place_crop(item, size, extent, 1, config.tumor_crops, stream);
  const auto ct = cut(item.ct, box, whole(size)).to(at::kFloat).clamp_(kMinHu, kMaxHu);
  return {ct.unsqueeze(0), cut(item.mask, box, whole(size)).to(at::kInt)};
}

at::Tensor per_case(const std::vector<float>& values) {
  return torch::tensor(values).view({-1, 1, 1, 1, 1});
}

// [B,count] places in [0,size).
at::Tensor random_places(RandomStream& stream, int64_t count, int64_t size) {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < count; ++i) places.push_back(stream.integer(size));
  return torch::tensor(places);
}

// Mean absolute difference between the steps from voxel to voxel, over the three axes.
at::Tensor gradient_distance(const at::Tensor& made, const at::Tensor& real,
                             const at::Tensor& voxel_weights, const at::Tensor& exposure_weights) {
  auto sum = torch::zeros({}, made.options());
  const auto difference = made - real;
  for (int64_t axis = 2; axis < 5; ++axis) {
    const auto steps = difference.diff(1, axis).abs();
    sum = sum + (steps * voxel_weights.slice(axis, 1) * exposure_weights).mean();
  }
  return sum / 3;
}

}  // namespace

// What the losses compare.
struct AutoencoderTrainingImpl::Views {
  at::Tensor hu;             // [B,1,D,H,W]
  at::Tensor target;         // [B,E,D,H,W] exposures of hu
  at::Tensor voxel_weights;  // [B,1,D,H,W], mean about 1
  HdrAutoencoderImpl::Posterior posterior;
  HdrAutoencoderImpl::Decoded decoded;
};

AutoencoderTrainingImpl::AutoencoderTrainingImpl(HdrAutoencoder network, int64_t tumor)
    : network_(register_module("network", std::move(network))),
      losses_(network_->config().losses),
      tumor_(tumor) {
  const auto& config = network_->config();
  const auto labels = network_->labels();
  label_weights_ = register_buffer("label_weights", torch::ones({labels}));
  label_weights_[tumor_] = losses_.tumor_weight;
  tissue_weights_ = register_buffer(
      "tissue_weights", torch::ones({static_cast<int64_t>(tissue_borders().size()) + 1}));
  std::vector<float> weights(config.exposures.size(), 1.0F);
  for (size_t i = 0; i < losses_.exposure_weights.size(); ++i) {
    weights[i] = static_cast<float>(losses_.exposure_weights[i]);
  }
  exposure_weights_ =
      register_buffer("exposure_weights", torch::tensor(weights).view({1, -1, 1, 1, 1}));
  if (network_->quantizer()) network_->quantizer()->prepare_for_training();
  if (losses_.adversary.weight > 0) {
    adversary_ = register_module(
        "adversary", Adversary(losses_.adversary, static_cast<int64_t>(config.exposures.size())));
  }
  if (!losses_.perceptual.network.empty()) perceptual_.emplace(losses_.perceptual);
}

void AutoencoderTrainingImpl::move_to(const at::Device& device) {
  to(device);
  if (device.is_cuda()) order_channels_last(*network_);
  if (perceptual_) perceptual_->to(device);
}

void AutoencoderTrainingImpl::set_label_counts(const at::Tensor& counts) {
  label_weights_.copy_(balanced_weights(counts, losses_.organ_balance));
  label_weights_[tumor_] *= losses_.tumor_weight;
}

void AutoencoderTrainingImpl::set_tissue_counts(const at::Tensor& counts) {
  tissue_weights_.copy_(balanced_weights(counts, losses_.tissue_balance));
}

at::Tensor AutoencoderTrainingImpl::voxel_weights(const at::Tensor& hu,
                                                  const at::Tensor& labels) const {
  auto weights = label_weights_.index_select(0, labels.flatten()).view(labels.sizes()).unsqueeze(1);
  if (losses_.tissue_balance == 0) return weights;
  auto tissue = torch::zeros_like(hu, at::kInt);
  for (const auto border : tissue_borders()) tissue += hu >= border;
  return weights * tissue_weights_.index_select(0, tissue.flatten()).view(hu.sizes());
}

StepInputs AutoencoderTrainingImpl::prepare(const TrainingBatch& batch,
                                            const StepRandomness& randomness) const {
  const auto& config = network_->config();
  StepInputs inputs;
  inputs.cases = batch;
  inputs.step = randomness.step;
  std::vector<at::Tensor> hu, labels, noises, slices;
  std::vector<float> centers, widths, unguided;
  for (size_t i = 0; i < batch.size(); ++i) {
    auto choices = randomness.stream("stage2/choices", i);
    auto noise = randomness.stream("stage2/noise", i);
    auto [crop, guide] = random_crop(*batch[i], config, choices);
    unguided.push_back(choices.flip(config.mask_dropout) ? 1.0F : 0.0F);
    // A window drawn at random: center in [-1,1], width in [0.1,2] of the range.
    centers.push_back(static_cast<float>(1023.5 + 2047.5 * choices.uniform(-1.0, 1.0)));
    widths.push_back(static_cast<float>(4095.0 * 0.5 * choices.uniform(0.1, 2.0)));
    constexpr int64_t f = HdrAutoencoderImpl::kDownsampling;
    noises.push_back(random_normal(
        noise, {config.latent_channels, crop.size(1) / f, crop.size(2) / f, crop.size(3) / f}));
    const int64_t count = std::max(losses_.adversary.slices, losses_.perceptual.slices);
    slices.push_back(random_places(choices, count, crop.size(1)));
    hu.push_back(crop);
    labels.push_back(guide);
  }
  inputs.tensors = {{"hu", torch::stack(hu)},
                    {"labels", torch::stack(labels)},
                    {"unguided", per_case(unguided).squeeze(1) > 0},
                    {"noise", torch::stack(noises)},
                    {"slices", torch::stack(slices)},
                    {"window_center", per_case(centers)},
                    {"window_width", per_case(widths)}};
  return inputs;
}

LossTerms AutoencoderTrainingImpl::reconstruction(const Views& views) const {
  const auto& weights = views.voxel_weights;
  const auto& decoded = views.decoded;
  const auto& exposures = network_->config().exposures;
  const auto distance = (decoded.exposures - views.target).abs() * weights;
  const auto l1 = (distance * exposure_weights_).mean();
  const auto fused_distance = (expose(decoded.hu, exposures) - views.target).abs() * weights;
  const auto fused = (fused_distance * exposure_weights_).mean();
  LossTerms out;
  out.total = l1 + losses_.fused_weight * fused;
  out.parts = {{"l1", l1.detach()}, {"fused", fused.detach()}};
  const auto by_exposure = distance.detach().mean({0, 2, 3, 4});
  for (size_t i = 0; i < exposures.size(); ++i) {
    out.parts.emplace_back("l1_" + exposures[i].name, by_exposure[static_cast<int64_t>(i)]);
  }
  if (losses_.gradient_weight > 0) {
    const auto gradient =
        gradient_distance(decoded.exposures, views.target, weights, exposure_weights_);
    out.total = out.total + losses_.gradient_weight * gradient;
    out.parts.emplace_back("gradient", gradient.detach());
  }
  if (decoded.codebook_loss.defined()) {
    out.total = out.total + decoded.codebook_loss;
    out.parts.emplace_back("codebook", decoded.codebook_loss.detach());
  } else {
    const auto& [mean, log_variance] = views.posterior;
    const auto kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean();
    out.total = out.total + losses_.kl_weight * kl;
    out.parts.emplace_back("kl", kl.detach());
  }
  return out;
}

void AutoencoderTrainingImpl::add_adversary(const Views& views, const StepInputs& inputs,
                                            LossTerms& terms) {
  if (inputs.step < losses_.adversary.start_step) {
    terms.total = terms.total + adversary_->idle();
    return;
  }
  // The axis of the slices follows the step, so that all of a step are of one shape.
  const auto axis = 2 + inputs.step % 3;
  const auto size = views.hu.size(axis);
  const auto slices = inputs.tensor("slices").slice(1, 0, losses_.adversary.slices).remainder(size);
  const auto judged = adversary_->judge(views.decoded.exposures, views.target, slices, axis,
                                        terms.total, network_->last_weight());
  terms.total = terms.total + judged.generator + judged.discriminator;
  terms.parts.emplace_back("adversarial", judged.generator.detach());
  terms.parts.emplace_back("discriminator", judged.discriminator.detach());
  terms.parts.emplace_back("features", judged.features);
  terms.parts.emplace_back("adaptive_weight", judged.adaptive_weight);
}

LossTerms AutoencoderTrainingImpl::loss(const StepInputs& inputs) {
  const auto& labels = inputs.tensor("labels");
  Views views;
  views.hu = inputs.tensor("hu");
  views.posterior = network_->encode(views.hu);
  const auto latents = views.posterior.sample(inputs.tensor("noise"));
  const auto guide = labels.masked_fill(inputs.tensor("unguided"), network_->labels());
  views.decoded = network_->decode(latents, guide);
  const AutocastScope full_precision(AutocastState::off());
  views.target = expose(views.hu, network_->config().exposures);
  views.voxel_weights = voxel_weights(views.hu, labels);
  auto terms = reconstruction(views);
  const auto view = [&](const at::Tensor& x) {
    return ((x - inputs.tensor("window_center")) / (0.5 * inputs.tensor("window_width")))
        .clamp(-1.0, 1.0);
  };
  const auto window =
      ((view(views.decoded.hu) - view(views.hu)).abs() * views.voxel_weights).mean();
  terms.total = terms.total + losses_.window_weight * window;
  terms.parts.emplace_back("window", window.detach());
  if (perceptual_) {
    const auto slices = inputs.tensor("slices").slice(1, 0, losses_.perceptual.slices);
    const auto perceived = (*perceptual_)(views.decoded.hu, views.hu, slices);
    terms.total = terms.total + losses_.perceptual.weight * perceived;
    terms.parts.emplace_back("perceptual", perceived.detach());
  }
  if (adversary_) add_adversary(views, inputs, terms);
  terms.parts.emplace_back("mae_hu", (views.decoded.hu - views.hu).abs().mean().detach());
  if (network_->quantizer() && is_training()) {
    const auto usage = network_->quantizer()->usage();
    terms.parts.emplace_back("codes_alive", usage.share_alive);
    terms.parts.emplace_back("codes_perplexity", usage.perplexity);
  }
  return terms;
}

void AutoencoderTrainingImpl::end_step(const VectorQuantizerImpl::Peers& peers,
                                       RandomStream random) {
  if (network_->quantizer()) network_->quantizer()->end_step(peers, std::move(random));
}

}  // namespace guidegen
