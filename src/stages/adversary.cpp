#include "guidegen/stages/adversary.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"

namespace guidegen {

namespace {

constexpr double kMostWeight = 1e4;  // of the adaptive weight, as in VQGAN

using Judgement = PatchDiscriminatorImpl::Judgement;

// Slices [B,S] along `axis` of [B,C,D,H,W] -> [B S,C,h,w].
at::Tensor take_slices(const at::Tensor& x, const at::Tensor& places, int64_t axis) {
  std::vector<at::Tensor> of_cases;
  for (int64_t b = 0; b < x.size(0); ++b) {
    of_cases.push_back(x[b].index_select(axis - 1, places[b]).movedim(axis - 1, 0));
  }
  return torch::cat(of_cases).contiguous();
}

at::Tensor hinge(const at::Tensor& logits, double sign) {
  return (1 - sign * logits).clamp_min(0).mean();
}

at::Tensor feature_distance(const Judgement& made, const Judgement& real) {
  auto sum = torch::zeros({}, made.logits.options());
  for (size_t i = 0; i < made.features.size(); ++i) {
    sum = sum + (made.features[i] - real.features[i].detach()).abs().mean();
  }
  return sum / double(made.features.size());
}

at::Tensor gradient_norm(const at::Tensor& loss, const at::Tensor& weight) {
  return torch::autograd::grad({loss}, {weight}, {}, /*retain_graph=*/true)[0].norm();
}

}  // namespace

AdversaryImpl::AdversaryImpl(const AdversaryConfig& config, int64_t channels) : config_(config) {
  slice_ = register_module("slice", PatchDiscriminator(2, channels, config.width, config.layers));
  patch_ = register_module("patch", PatchDiscriminator(3, channels, config.width, config.layers));
}

void AdversaryImpl::learn(bool on) {
  for (auto& weight : parameters()) weight.set_requires_grad(on);
}

AdversaryImpl::Terms AdversaryImpl::judge(const at::Tensor& made, const at::Tensor& real,
                                          const at::Tensor& slices, int64_t axis,
                                          const at::Tensor& reconstruction,
                                          const at::Tensor& last) {
  const auto made_slices = take_slices(made, slices, axis);
  const auto real_slices = take_slices(real, slices, axis);
  Terms out;
  // What the discriminators learn: from copies that lead back to no generator. It also gives what
  // feature matching compares with.
  const auto slice_real = slice_(real_slices), patch_real = patch_(real);
  out.discriminator =
      0.25 * (hinge(slice_real.logits, 1) + hinge(slice_(made_slices.detach()).logits, -1) +
              hinge(patch_real.logits, 1) + hinge(patch_(made.detach()).logits, -1));
  if (!torch::GradMode::is_enabled()) {  // validation: no gradients to balance
    out.generator = torch::zeros({}, out.discriminator.options());
    out.features = out.adaptive_weight = out.generator;
    return out;
  }
  // What the generator learns: the discriminators' weights are constants of this part of the graph.
  learn(false);
  const auto slice_made = slice_(made_slices), patch_made = patch_(made);
  learn(true);
  const auto adversarial = -0.5 * (slice_made.logits.mean() + patch_made.logits.mean());
  const auto features =
      0.5 * (feature_distance(slice_made, slice_real) + feature_distance(patch_made, patch_real));
  const auto scale =
      (gradient_norm(reconstruction, last) / (gradient_norm(adversarial, last) + 1e-4))
          .clamp(0, kMostWeight)
          .detach();
  out.generator = config_.weight * (scale * adversarial + config_.feature_weight * features);
  out.features = features.detach();
  out.adaptive_weight = scale;
  return out;
}

at::Tensor AdversaryImpl::idle() {
  std::vector<at::Tensor> sums;
  for (auto& weight : parameters()) sums.push_back(weight.sum());
  return 0 * torch::stack(sums).sum();
}

AdversaryConfig AdversaryConfig::from_json(JsonObject object) {
  AdversaryConfig c;
  c.weight = object.number("weight", 0, 1e3, c.weight);
  c.feature_weight = object.number("feature_weight", 0, 1e3, c.feature_weight);
  c.start_step = object.integer("start_step", 0, 1LL << 40, c.start_step);
  c.slices = object.integer("slices", 1, 512, c.slices);
  c.width = object.integer("width", 1, 512, c.width);
  c.layers = object.integer("layers", 1, 6, c.layers);
  object.finish();
  return c;
}

Json AdversaryConfig::to_json() const {
  return {{"weight", weight},         {"feature_weight", feature_weight},
          {"start_step", start_step}, {"slices", slices},
          {"width", width},           {"layers", layers}};
}

}  // namespace guidegen
