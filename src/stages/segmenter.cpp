#include "guidegen/stages/segmenter.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/pointwise.hpp"
#include "stages/segmenter_crops.hpp"

namespace guidegen {

namespace {

constexpr int64_t kEmbeddingWidth = 32;  // of the spacing
constexpr double kSpacingTolerance = 1.25;

torch::nn::Conv3d conv(int64_t in, int64_t out, int64_t kernel) {
  return torch::nn::Conv3d(torch::nn::Conv3dOptions(in, out, kernel).padding(kernel / 2));
}

UNet3dConfig unet_of(const SegmenterConfig& config) {
  UNet3dConfig unet;
  unet.channels = config.channels;
  unet.blocks = config.blocks;
  unet.attention_from = static_cast<int64_t>(config.channels.size());  // there is no text
  unet.heads = 1;
  return unet;
}

// One minus the mean soft Dice of the labels in the batch, background left out.
at::Tensor dice_loss(const at::Tensor& probabilities, const at::Tensor& labels) {
  constexpr double kSmooth = 1;  // voxels
  const int64_t classes = probabilities.size(1);
  const auto index = labels.flatten();
  const auto right = probabilities.gather(1, labels.unsqueeze(1)).flatten();
  const auto zeros = torch::zeros({classes}, probabilities.options());
  const auto common = zeros.index_add(0, index, right);
  const auto wanted = zeros.index_add(0, index, torch::ones_like(right));
  const auto given = probabilities.sum({0, 2, 3, 4});
  const auto dice = (2 * common + kSmooth) / (wanted + given + kSmooth);
  const auto present = (wanted > 0).to(at::kFloat).slice(0, 1);
  return ((1 - dice.slice(0, 1)) * present).sum() / present.sum().clamp_min(1);
}

}  // namespace

SegmenterImpl::SegmenterImpl(const SegmenterConfig& config, int64_t labels, int64_t tumor)
    : config_(config), labels_(labels), tumor_(tumor) {
  const auto exposures = static_cast<int64_t>(config.exposures.size());
  const int64_t folded = kFactor * kFactor * kFactor;
  spacing_in_ = register_module("spacing_in", torch::nn::Linear(3, kEmbeddingWidth));
  spacing_out_ =
      register_module("spacing_out", torch::nn::Linear(kEmbeddingWidth, kEmbeddingWidth));
  unet_ = register_module("unet", UNet3d(unet_of(config), folded * exposures, kEmbeddingWidth, 1));
  expand_ = register_module("expand", conv(unet_->out_channels(), folded * config.head_width, 1));
  full_ = register_module("full", conv(config.head_width + exposures, config.head_width, 3));
  for (int64_t i = 0; i < config.head_blocks; ++i) {
    head_.push_back(
        register_module(concat("head", i), conv(config.head_width, config.head_width, 3)));
  }
  output_ = register_module("output", conv(config.head_width, labels, 1));
  trained_spacing_ = register_buffer(
      "trained_spacing", torch::tensor({{0.05, 0.05, 0.05}, {50.0, 50.0, 50.0}}, at::kDouble));
}

at::Tensor SegmenterImpl::forward(const at::Tensor& hu, const at::Tensor& log_spacing) {
  const auto seen = expose(hu, config_.exposures);
  const auto embedding = spacing_out_(torch::silu(spacing_in_(log_spacing)));
  const auto out = unet_->forward(space_to_depth(seen, kFactor), embedding, {});
  auto h = depth_to_space(pointwise(expand_, torch::silu(out.features)), kFactor);
  h = full_(torch::cat({torch::silu(h), seen.to(h.scalar_type())}, 1));
  for (auto& convolution : head_) h = h + convolution(torch::silu(h));
  // Logits need more than eight bits of mantissa.
  const AutocastScope full_precision(AutocastState::off());
  return pointwise(output_, torch::silu(h.to(at::kFloat)));
}

StepInputs SegmenterImpl::prepare(const TrainingBatch& batch,
                                  const StepRandomness& randomness) const {
  StepInputs inputs;
  inputs.cases = batch;
  inputs.step = randomness.step;
  std::vector<at::Tensor> hu, labels, spacings;
  for (size_t i = 0; i < batch.size(); ++i) {
    auto choices = randomness.stream("segmenter/crop", i);
    auto changes = randomness.stream("segmenter/augmentation", i);
    const auto crop = draw_crop(*batch[i], config_, tumor_, choices);
    hu.push_back(augmented(crop.hu, config_.augmentation, changes));
    labels.push_back(crop.labels);
    spacings.push_back(log_spacing_of(batch[i]->geometry));
  }
  inputs.tensors = {{"hu", torch::stack(hu)},
                    {"labels", torch::stack(labels)},
                    {"log_spacing", torch::cat(spacings)}};
  return inputs;
}

LossTerms SegmenterImpl::loss(const StepInputs& inputs) {
  const auto& labels = inputs.tensor("labels");
  const auto logits = forward(inputs.tensor("hu"), inputs.tensor("log_spacing"));
  const AutocastScope full_precision(AutocastState::off());
  const auto log_probabilities = torch::log_softmax(logits, 1);
  auto surprise = -log_probabilities.gather(1, labels.unsqueeze(1));
  if (config_.tumor_weight != 1) {
    const auto tumor = labels.eq(tumor_).to(at::kFloat).unsqueeze(1);
    surprise = surprise * (1 + (config_.tumor_weight - 1) * tumor);
  }
  const auto cross_entropy = surprise.mean();
  const auto dice = dice_loss(log_probabilities.exp(), labels);
  return {cross_entropy + config_.dice_weight * dice,
          {{"cross_entropy", cross_entropy.detach()}, {"dice_loss", dice.detach()}}};
}

void SegmenterImpl::set_trained_spacing(const Vec3& low, const Vec3& high) {
  trained_spacing_.copy_(
      torch::tensor({{low[0], low[1], low[2]}, {high[0], high[1], high[2]}}, at::kDouble));
}

Vec3 SegmenterImpl::working_spacing(const Vec3& spacing) const {
  const auto trained = trained_spacing_.to(at::kCPU, at::kDouble);
  Vec3 working = spacing;
  for (size_t axis = 0; axis < 3; ++axis) {
    const auto low = trained[0][static_cast<int64_t>(axis)].item<double>();
    const auto high = trained[1][static_cast<int64_t>(axis)].item<double>();
    if (spacing[axis] * kSpacingTolerance < low) working[axis] = low;
    if (spacing[axis] > high * kSpacingTolerance) working[axis] = high;
  }
  return working;
}

at::Tensor log_spacing_of(const ImageGeometry& geometry) {
  return geometry_features(geometry).slice(1, 0, 3);
}

}  // namespace guidegen
