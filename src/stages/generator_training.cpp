#include "guidegen/stages/generator_training.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/data/without_tumors.hpp"
#include "guidegen/diffusion/flow.hpp"
#include "guidegen/nn/pointwise.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/volume/labels.hpp"
#include "stages/balanced_weights.hpp"
#include "stages/crop_placement.hpp"

namespace guidegen {

namespace {

constexpr int64_t kFactor = HdrAutoencoderImpl::kDownsampling;

int64_t round_up(int64_t voxels) { return (voxels + kFactor - 1) / kFactor * kFactor; }

/// Where a training crop lies. As the mask is given to the network, looking for tumors biases
/// nothing that it learns.
Box draw_crop(const TrainingCase& item, const std::optional<std::array<int64_t, 3>>& crop,
              RandomStream& stream) {
  constexpr double kAroundTumors = 0.5;  // share of crops
  Extent size{}, extent{};
  for (size_t axis = 0; axis < 3; ++axis) {
    size[axis] = round_up(item.mask.size(static_cast<int64_t>(axis)));
    extent[axis] = crop ? (*crop)[2 - axis] : size[axis];
    if (extent[axis] > size[axis]) {
      throw_failure("case ", item.id, ": it has ", item.mask.sizes(), " voxels (z, y, x), network.",
                    "crop asks for ", extent[axis], " along axis ", "zyx"[axis]);
    }
  }
  return place_crop(item, size, extent, kFactor, crop ? kAroundTumors : 0.0, stream);
}

/// Labels of a crop, int32 [D,H,W]; voxels beyond the image are background.
at::Tensor crop_of(const at::Tensor& mask, const Box& box) {
  const Extent size = {mask.size(0), mask.size(1), mask.size(2)};
  Box inside = box;
  for (size_t axis = 0; axis < 3; ++axis) inside.high[axis] = std::min(box.high[axis], size[axis]);
  return pad_to_multiple(cut(mask, inside, whole(size)).to(at::kInt), kFactor, 0);
}

/// `blind`: as when a CT is sampled without a mask, by which alone the position is known.
at::Tensor place_of(const TrainingCase& item, const Box& box, const Vocabulary& vocabulary,
                    bool blind) {
  std::optional<BodyPosition> position;
  if (!blind) position = body_position({item.mask.unsqueeze(0), item.geometry}, vocabulary);
  ImageGeometry grid = item.geometry;
  const bool cropped = box.low != Extent{} || box.size(0) < item.mask.size(0) ||
                       box.size(1) < item.mask.size(1) || box.size(2) < item.mask.size(2);
  if (cropped) grid.size = to_xyz({box.size(0), box.size(1), box.size(2)});
  if (position) {
    position->bottom_mm += grid.spacing[2] * static_cast<double>(box.low[0]);
    position->top_mm = position->bottom_mm + grid.spacing[2] * static_cast<double>(grid.size[2]);
  }
  return place_features(grid, position);
}

double draw_flow_time(double shift, RandomStream& stream) {
  // Logit-normal times (Esser et al., ICML 2024): the middle of the path is the hard part.
  const double u = 1.0 / (1.0 + std::exp(-stream.normal()));
  return shift * u / (1.0 + (shift - 1.0) * u);
}

/// Min-SNR weight of the loss of the network's output (Hang et al., ICCV 2023): min(SNR, gamma)
/// over what an error of x_0 is multiplied by, SNR for epsilon and SNR + 1 for v.
double snr_weight(double snr, double gamma, const std::string& objective) {
  if (gamma == 0) return 1;
  return std::min(snr, gamma) / (objective == "v" ? snr + 1 : snr);
}

at::Tensor stacked(const std::vector<at::Tensor>& parts) {
  for (const auto& part : parts) {
    if (part.sizes() != parts.front().sizes()) {
      throw_failure("stage 3: the cases of a batch differ in size, ", parts.front().sizes(),
                    " and ", part.sizes(), "; set network.crop to train on crops of one size");
    }
  }
  return torch::stack(parts);
}

}  // namespace

// One step as the losses see it.
struct GeneratorTrainingImpl::Step {
  at::Tensor noisy, time, target, weights;
  FeatureGeneratorImpl::Condition condition;
  at::Tensor output;
};

GeneratorTrainingImpl::GeneratorTrainingImpl(FeatureGenerator network)
    : network_(register_module("network", std::move(network))) {
  label_weights_ = register_buffer("label_weights", torch::ones({network_->vocabulary().size()}));
}

void GeneratorTrainingImpl::set_label_counts(const at::Tensor& counts) {
  label_weights_.copy_(balanced_weights(counts, network_->config().losses.organ_balance));
}

// What is drawn of the cases of a step, one entry a case.
struct GeneratorTrainingImpl::Draws {
  std::vector<at::Tensor> masks, labels, places, noises;
  std::vector<float> flow_times, time_weights;
  std::vector<int64_t> steps;
  // Cases with tumors alone: their rows, and their masks without.
  std::vector<int64_t> rows;
  std::vector<at::Tensor> without;
  std::vector<at::Tensor> inside, outside;  // latent voxels that hold a tumor; far from any
};

void GeneratorTrainingImpl::draw_time(int64_t latent_voxels, RandomStream& stream,
                                      Draws& draws) const {
  const auto& config = network_->config();
  const int64_t step = 1 + stream.integer(config.timesteps);
  draws.steps.push_back(step);
  draws.flow_times.push_back(
      static_cast<float>(draw_flow_time(config.size_shift(latent_voxels), stream)));
  const bool flow = config.objective == "flow";
  draws.time_weights.push_back(
      flow ? 1.0F
           : static_cast<float>(snr_weight(network_->gaussian().snr(step), config.losses.min_snr,
                                           config.objective)));
}

void GeneratorTrainingImpl::draw_mask(const TrainingCase& item, const Box& box,
                                      RandomStream& stream, Draws& draws) const {
  const auto& config = network_->config();
  const auto& vocabulary = network_->vocabulary();
  const auto mask = crop_of(item.mask, box);
  const bool unmasked = stream.flip(config.mask_dropout);
  if (config.losses.tumor_contrast > 0 && !unmasked &&
      mask.eq(vocabulary.tumor()).any().item<bool>()) {
    draws.rows.push_back(static_cast<int64_t>(draws.masks.size()));
    const auto grid =
        centered_geometry({box.size(2), box.size(1), box.size(0)}, item.geometry.spacing);
    const auto tumor = mask.eq(vocabulary.tumor()).to(at::kFloat).unsqueeze(0);
    const auto inside = at::max_pool3d(tumor, {kFactor, kFactor, kFactor});
    draws.inside.push_back(inside);
    draws.outside.push_back(1.0 - at::max_pool3d(inside, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}));
    draws.without.push_back(without_tumors({mask.unsqueeze(0), grid}, vocabulary).data[0]);
  }
  draws.masks.push_back(unmasked ? at::full_like(mask, network_->no_label()) : mask);
  if (weighs_labels()) draws.labels.push_back(mask);
  const bool blind = config.mask_condition == "none" || (unmasked && stream.flip(0.5));
  draws.places.push_back(place_of(item, box, vocabulary, blind));
}

bool GeneratorTrainingImpl::weighs_labels() const {
  const auto& losses = network_->config().losses;
  return losses.organ_balance > 0 || losses.tumor_weight != 1.0;
}

StepInputs GeneratorTrainingImpl::prepare(const TrainingBatch& batch,
                                          const StepRandomness& randomness) const {
  const auto& config = network_->config();
  StepInputs inputs;
  inputs.cases = batch;
  Draws draws;
  for (size_t i = 0; i < batch.size(); ++i) {
    const TrainingCase& item = *batch[i];
    auto choices = randomness.stream("stage3/choices", i);
    auto noise = randomness.stream("stage3/noise", i);
    const Box box = draw_crop(item, config.crop, choices);
    const auto latent = extent_over({box.size(0), box.size(1), box.size(2)}, kFactor);
    inputs.origins.push_back(extent_over(box.low, kFactor));
    inputs.prompts.push_back(
        drop_fields(item.prompt, config.prompt_dropout, config.field_dropout, choices));
    draw_mask(item, box, choices, draws);
    draw_time(latent[0] * latent[1] * latent[2], choices, draws);
    draws.noises.push_back(
        random_normal(noise, {network_->latent_channels(), latent[0], latent[1], latent[2]}));
  }
  const bool flow = config.objective == "flow";
  inputs.tensors = {{"mask", stacked(draws.masks)},
                    {"place", torch::cat(draws.places)},
                    {"noise", stacked(draws.noises)},
                    {"time", flow ? torch::tensor(draws.flow_times) : torch::tensor(draws.steps)},
                    {"time_weight", torch::tensor(draws.time_weights)}};
  if (weighs_labels()) inputs.tensors["labels"] = torch::stack(draws.labels);
  if (!draws.rows.empty()) {
    inputs.tensors["contrast_rows"] = torch::tensor(draws.rows);
    inputs.tensors["contrast_mask"] = torch::stack(draws.without);
    inputs.tensors["contrast_inside"] = torch::stack(draws.inside);
    inputs.tensors["contrast_outside"] = torch::stack(draws.outside);
  }
  return inputs;
}

at::Tensor GeneratorTrainingImpl::latent_weights(const StepInputs& inputs) const {
  auto weights = inputs.tensor("time_weight").view({-1, 1, 1, 1, 1});
  if (!inputs.tensors.contains("labels")) return weights;
  const auto& labels = inputs.tensor("labels");
  const auto& losses = network_->config().losses;
  if (losses.organ_balance > 0) {
    const auto voxels = label_weights_.index_select(0, labels.flatten()).view(labels.sizes());
    weights = weights * block_mean(voxels.unsqueeze(1), kFactor);
  }
  if (losses.tumor_weight != 1.0) {
    const auto tumor = (labels == network_->vocabulary().tumor()).to(at::kFloat).unsqueeze(1);
    const auto holds = (block_mean(tumor, kFactor) > 0).to(at::kFloat);
    weights = weights * (1.0 + (losses.tumor_weight - 1.0) * holds);
  }
  return weights;
}

void GeneratorTrainingImpl::add_contrast(const Step& step, const StepInputs& inputs,
                                         LossTerms& terms) {
  const auto& rows = inputs.tensor("contrast_rows");
  const auto pick = [&rows](const at::Tensor& x) { return x.index_select(0, rows); };
  const auto& condition = step.condition;
  const auto output = network_->forward(
      pick(step.noisy), pick(step.time),
      {{pick(condition.text.tokens), pick(condition.text.present), pick(condition.text.pooled)},
       inputs.tensor("contrast_mask"),
       pick(condition.place),
       condition.coarse.defined() ? pick(condition.coarse) : at::Tensor()});
  const auto& inside = inputs.tensor("contrast_inside");
  const auto& outside = inputs.tensor("contrast_outside");
  const auto mean_over = [](const at::Tensor& errors, const at::Tensor& region) {
    return (errors.mean(1, true) * region).sum({1, 2, 3, 4}) /
           region.sum({1, 2, 3, 4}).clamp_min(1.0);
  };
  const auto made = pick(step.output), target = pick(step.target);
  const auto right = mean_over((made - target).square(), inside);
  const auto wrong = mean_over((output - target).square(), inside);
  // Two candidates, of which the one with the tumor shall be the likelier (logistic loss).
  const auto contrast = at::softplus(right - wrong).mean();
  const auto elsewhere = mean_over((made - output).square(), outside).mean();
  terms.total = terms.total + network_->config().losses.tumor_contrast * (contrast + elsewhere);
  terms.parts.emplace_back("tumor_contrast", contrast.detach());
  terms.parts.emplace_back("tumor_elsewhere", elsewhere.detach());
}

LossTerms GeneratorTrainingImpl::loss(const StepInputs& inputs, const at::Tensor& latents,
                                      const at::Tensor& coarse) {
  const auto& config = network_->config();
  const auto& noise = inputs.tensor("noise");
  const auto& t = inputs.tensor("time");
  const auto z = network_->normalized(latents);
  Step step;
  step.condition = {network_->encode_prompts(inputs.prompts), inputs.tensor("mask"),
                    inputs.tensor("place"),
                    coarse.defined() ? network_->normalized(coarse) : coarse};
  if (config.objective == "flow") {
    step.noisy = RectifiedFlow::add_noise(z, noise, t);
    step.time = t;
    step.target = RectifiedFlow::target(z, noise);
  } else {
    const auto& gaussian = network_->gaussian();
    step.noisy = gaussian.add_noise(z, noise, t);
    step.time = t.to(at::kFloat) / static_cast<double>(config.timesteps);
    step.target = gaussian.target(z, noise, t);
  }
  step.output = network_->forward(step.noisy, step.time, step.condition);
  const auto errors = (step.output - step.target).square();
  LossTerms out;
  out.total = (errors * latent_weights(inputs)).mean();
  out.parts = {{config.objective, errors.mean().detach()}};
  if (inputs.tensors.contains("contrast_rows")) add_contrast(step, inputs, out);
  return out;
}

}  // namespace guidegen
