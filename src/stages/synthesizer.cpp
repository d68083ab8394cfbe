#include "guidegen/stages/synthesizer.hpp"

#include <torch/torch.h>

#include "guidegen/data/stack_masks.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/pointwise.hpp"
#include "guidegen/text/field_reader.hpp"
#include "stages/mask_sampler.hpp"
#include "stages/plan_channels.hpp"

namespace guidegen {

namespace {

constexpr int64_t kFactor = kMaskFactor;
constexpr double kMaxClassWeight = 20;
constexpr double kMaxEvidence = 12;  // nats; enough to pin a voxel at t = 1

// log q(x_t | x_0 = x_t) - log q(x_t | x_0 != x_t) = log(1 + K alpha_bar / (1 - alpha_bar)) of
// every t = 0 … T.
at::Tensor evidence_table(const CategoricalDiffusion& diffusion) {
  std::vector<float> table;
  for (int64_t t = 0; t <= diffusion.schedule().steps(); ++t) {
    const double signal = diffusion.schedule().alpha_bar(t);
    const double log_ratio =
        std::log1p(double(diffusion.labels()) * signal / std::max(1e-12, 1.0 - signal));
    table.push_back(static_cast<float>(std::min(kMaxEvidence, log_ratio)));
  }
  return torch::tensor(table);
}

int64_t draw_time(int64_t timesteps, double exponent, RandomStream& stream) {
  const double u = std::pow(stream.uniform(), 1.0 / (1.0 + exponent));
  return std::min<int64_t>(timesteps, 1 + int64_t(u * double(timesteps)));
}

}  // namespace

SynthesizerImpl::SynthesizerImpl(const SynthesizerConfig& config, int64_t labels, int64_t tumor)
    : config_(config),
      tumor_(tumor),
      diffusion_(NoiseSchedule(config.schedule, config.timesteps), labels),
      evidence_(evidence_table(diffusion_)) {
  const int64_t folded = config.label_width * kFactor * kFactor * kFactor;
  const int64_t wide = config.embedding_width;
  prompt_encoder_ = register_module("prompt_encoder", AttributeEncoder(config.text_width));
  planner_ = register_module("planner", TumorPlanner());
  for (auto& parameter : planner_->parameters()) parameter.set_requires_grad(false);
  label_embedding_ =
      register_module("label_embedding", torch::nn::Embedding(labels, config.label_width));
  time_ = register_module("time", torch::nn::Linear(64, wide));
  geometry_ = register_module("geometry", torch::nn::Linear(6, wide));
  pooled_ = register_module("pooled", torch::nn::Linear(config.text_width, wide));
  if (config.text_encoder_width > 0) {
    text_ =
        register_module("text", torch::nn::Linear(config.text_encoder_width, config.text_width));
  }
  if (config.sentence_width > 0) {
    distilled_ = register_module(
        "distilled", torch::nn::Linear(config.unet.channels.back(), config.sentence_width));
  }
  unet_ = register_module("unet",
                          UNet3d(config.unet, folded + kPlanChannels + 3, wide, config.text_width));
  expand_ = register_module("expand", torch::nn::Conv3d(torch::nn::Conv3dOptions(
                                          unet_->out_channels(), 8 * config.head_width, 1)));
  full_ = register_module(
      "full", torch::nn::Conv3d(torch::nn::Conv3dOptions(config.head_width + config.label_width,
                                                         config.head_width, 3)
                                    .padding(1)));
  for (int64_t i = 0; i < config.head_blocks; ++i) {
    head_.push_back(register_module(
        concat("head", i),
        torch::nn::Conv3d(
            torch::nn::Conv3dOptions(config.head_width, config.head_width, 3).padding(1))));
    // A residual convolution that adds nothing at first, so that training may start from a model
    // without it.
    torch::nn::init::zeros_(head_.back()->weight);
    torch::nn::init::zeros_(head_.back()->bias);
  }
  if (config.class_weight_exponent > 0) {
    class_weights_ = register_buffer("class_weights", torch::ones({labels}));
  }
  output_ = register_module(
      "output", torch::nn::Conv3d(torch::nn::Conv3dOptions(config.head_width, labels, 1)));
}

at::Tensor SynthesizerImpl::add_evidence(const at::Tensor& context, const at::Tensor& xt,
                                         const at::Tensor& t, const Condition& condition) {
  if (evidence_.device() != t.device()) evidence_ = evidence_.to(t.device());
  const auto index = xt.to(at::kLong).unsqueeze(1);
  const auto source = evidence_.index_select(0, t).view({-1, 1, 1, 1, 1}).expand(index.sizes());
  // What is added does not depend on the weights, so the gradient passes unchanged and `context`
  // can be its own result; autograd's in-place slices would copy K values a voxel four times.
  // Neither the last convolution nor anything else keeps `context` for its backward pass.
  auto values = context.detach();
  values.scatter_add_(1, index, source);
  values.select(1, tumor_).add_(condition.odds);
  return context;
}

at::Tensor SynthesizerImpl::forward(const at::Tensor& xt, const at::Tensor& t,
                                    const Condition& condition) {
  return add_evidence(context_logits(xt, t, condition), xt, t, condition);
}

PromptFeatures SynthesizerImpl::encode(const std::vector<std::optional<Prompt>>& prompts,
                                       const at::Tensor& text_tokens,
                                       const at::Tensor& text_present) {
  auto features = prompt_encoder_->forward(prompts);
  if (!text_ || !text_tokens.defined()) return features;
  features.tokens = torch::cat({features.tokens, text_(text_tokens)}, 1);
  features.present = torch::cat({features.present, text_present}, 1);
  return features;
}

SynthesizerImpl::Context SynthesizerImpl::context_of(const at::Tensor& xt, const at::Tensor& t,
                                                     const Condition& condition) {
  // The embedding comes out with channels last, which is the order convolutions prefer.
  const auto labels = label_embedding_(xt.to(at::kInt)).permute({0, 4, 1, 2, 3});
  const auto x = torch::cat({space_to_depth(labels, kFactor), condition.plan}, 1)
                     .contiguous(at::MemoryFormat::ChannelsLast3d);
  const auto time = t.to(at::kFloat) / double(config_.timesteps);
  const auto embedding = time_(sinusoidal_features(time, 64, 1000.0)) +
                         geometry_(condition.geometry) + pooled_(condition.text.pooled);
  const auto out = unet_->forward(x, embedding, {condition.text.tokens, condition.text.present});
  auto h = depth_to_space(pointwise(expand_, torch::silu(out.features)), kFactor);
  h = torch::silu(h);
  h = full_(torch::cat({h, labels.to(h.scalar_type())}, 1));
  for (auto& convolution : head_) h = h + convolution(torch::silu(h));
  // Logits need more than eight bits of mantissa.
  const AutocastScope full_precision(AutocastState::off());
  return {pointwise(output_, torch::silu(h.to(at::kFloat))), out.middle};
}

at::Tensor SynthesizerImpl::context_logits(const at::Tensor& xt, const at::Tensor& t,
                                           const Condition& condition) {
  return context_of(xt, t, condition).logits;
}

void SynthesizerImpl::to(at::Device device, bool non_blocking) {
  torch::nn::Module::to(device, non_blocking);
  planner_->to(at::kCPU);
}

void SynthesizerImpl::fit_planner(const std::vector<Prompt>& prompts,
                                  const std::vector<TumorPlan>& plans, uint64_t seed) {
  constexpr int64_t kBatch = 64;
  if (plans.empty()) return;
  auto parameters = planner_->parameters();
  for (auto& parameter : parameters) parameter.set_requires_grad(true);
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(1e-2));
  RandomStream stream(seed, "fit", "stage1/planner");
  for (int64_t step = 0; step < config_.planner_steps; ++step) {
    std::vector<Prompt> some_prompts;
    std::vector<TumorPlan> some_plans;
    for (int64_t i = 0; i < std::min<int64_t>(kBatch, int64_t(plans.size())); ++i) {
      const auto at = static_cast<size_t>(stream.integer(int64_t(plans.size())));
      some_prompts.push_back(prompts[at]);
      some_plans.push_back(plans[at]);
    }
    const double left = 1.0 - double(step) / double(config_.planner_steps);
    for (auto& group : optimizer.param_groups()) group.options().set_lr(1e-2 * left);
    optimizer.zero_grad();
    planner_->loss(some_prompts, some_plans).backward();
    optimizer.step();
  }
  for (auto& parameter : parameters) parameter.set_requires_grad(false);
  planner_->zero_grad();
}

void SynthesizerImpl::set_label_counts(const at::Tensor& counts) {
  if (!class_weights_.defined()) return;
  const torch::NoGradGuard no_grad;
  // Half a voxel more keeps labels that do not occur finite.
  const auto share = (counts.to(at::kDouble) + 0.5) / (counts.to(at::kDouble) + 0.5).sum();
  auto weight = share.pow(-config_.class_weight_exponent);
  // The plan says where tumors are, and plan_voxel_weight how much they count.
  weight[tumor_] = 1.0;
  weight.div_((share * weight).sum()).clamp_max_(kMaxClassWeight);
  weight[tumor_] = 1.0;
  class_weights_.copy_(weight);
}

at::Tensor SynthesizerImpl::weigh_classes(const at::Tensor& x0, const at::Tensor& logits) const {
  // Weighting voxels by the label of x_0 makes w_c p_c the optimum in place of p_c, so the loss is
  // given logits plus log w_c: then the optimum of the logits themselves is calibrated (logit
  // adjustment; Menon et al., ICLR 2021). In place for the reasons given in add_evidence.
  logits.detach().add_(class_weights_.log().view({1, -1, 1, 1, 1}));
  return class_weights_.index_select(0, x0.flatten().to(at::kInt)).view(x0.sizes());
}

void SynthesizerImpl::prepare_texts(StepInputs& inputs, const StepRandomness& randomness,
                                    TextSource& texts) const {
  std::vector<std::string> words;
  std::vector<int64_t> unread, taught;
  for (size_t i = 0; i < inputs.cases.size(); ++i) {
    auto choices = randomness.stream("stage1/text", i);
    const auto phrasing = static_cast<int>(choices.integer(kPhrasingCount));
    words.push_back(
        inputs.cases[i]->prompt.text.value_or(describe(inputs.cases[i]->prompt, phrasing)));
    const bool silent = choices.flip(config_.text_dropout);
    // Without a prompt there is nothing to be taught; a text that is not read may still be.
    if (!inputs.prompts[i] || silent) unread.push_back(int64_t(i));
    if (inputs.prompts[i]) taught.push_back(int64_t(i));
  }
  const auto features = texts.encode(words);
  auto present = features.present;
  if (!unread.empty()) present = present.index_fill(0, torch::tensor(unread), 0);
  inputs.tensors["text_tokens"] = features.tokens;
  inputs.tensors["text_present"] = present;
  inputs.tensors["sentence"] = features.sentence;
  inputs.tensors["taught"] = torch::tensor(taught, at::kLong);
}

StepInputs SynthesizerImpl::prepare(const TrainingBatch& batch, const StepRandomness& randomness,
                                    TextSource* texts) const {
  StepInputs inputs;
  inputs.cases = batch;
  std::vector<at::Tensor> plans, odds, geometries;
  std::vector<int64_t> times;
  for (size_t i = 0; i < batch.size(); ++i) {
    const TrainingCase& item = *batch[i];
    auto choices = randomness.stream("stage1/choices", i);
    const auto plan = plan_of(item.tumors, item.geometry);
    plans.push_back(plan_with_coordinates(plan, item.geometry));
    odds.push_back(padded_log_odds(plan, item.geometry));
    geometries.push_back(geometry_features(item.geometry));
    times.push_back(draw_time(config_.timesteps, config_.time_exponent, choices));
    inputs.prompts.push_back(
        drop_fields(item.prompt, config_.prompt_dropout, config_.field_dropout, choices));
  }
  const auto x0 = pad_to_multiple(stack_masks(batch), kFactor, 0);
  auto uniform = torch::empty(x0.sizes(), at::kFloat);
  for (size_t i = 0; i < batch.size(); ++i) {
    auto noise = randomness.stream("stage1/noise", i);
    const auto part = uniform[int64_t(i)];
    noise.fill_uniform(part.data_ptr<float>(), part.numel());
  }
  const auto t = torch::tensor(times);
  inputs.tensors = {{"x0", x0},
                    {"xt", diffusion_.add_noise(x0, t, uniform)},
                    {"t", t},
                    {"plan", torch::cat(plans)},
                    {"odds", torch::cat(odds)},
                    {"geometry", torch::cat(geometries)}};
  if (texts != nullptr) prepare_texts(inputs, randomness, *texts);
  return inputs;
}

// The middle of the network is pulled towards what the language model says of the prompt, so that
// the network cannot pass the text over.
void SynthesizerImpl::distill(const StepInputs& inputs, const at::Tensor& middle, LossTerms& out) {
  const auto& taught = inputs.tensor("taught");
  if (taught.numel() == 0) {
    // Every process must meet every parameter in its gradient.
    out.total = out.total + 0.0 * distilled_(middle.to(at::kFloat)).sum();
    return;
  }
  const auto student = unit_length(distilled_(middle.to(at::kFloat)).index_select(0, taught));
  const auto teacher = inputs.tensor("sentence").index_select(0, taught);
  const auto losses = distillation_loss(student, teacher, config_.contrast_temperature);
  out.total = out.total + config_.distillation_weight * losses.cosine +
              config_.contrast_weight * losses.contrast;
  out.parts.emplace_back("distillation_cosine", losses.cosine.detach());
  out.parts.emplace_back("distillation_contrast", losses.contrast.detach());
}

LossTerms SynthesizerImpl::loss(const StepInputs& inputs) {
  const auto& t = inputs.tensor("t");
  const bool reads = text_ && inputs.tensors.contains("text_tokens");
  const Condition condition{
      reads ? encode(inputs.prompts, inputs.tensor("text_tokens"), inputs.tensor("text_present"))
            : encode(inputs.prompts),
      inputs.tensor("plan"), inputs.tensor("odds"), inputs.tensor("geometry")};
  const auto context = context_of(inputs.tensor("xt"), t, condition);
  const auto logits = add_evidence(context.logits, inputs.tensor("xt"), t, condition);
  // The plan is part of the condition, so weighting by it does not bias p(x_0 | x_t, t, condition).
  const auto inside = (0.5 * condition.odds + 1.0).clamp_(0.0, 1.0);  // 1 in the ball, 0 from -2 on
  auto weight = 1.0 + config_.plan_voxel_weight * inside;
  if (class_weights_.defined()) weight = weight * weigh_classes(inputs.tensor("x0"), logits);
  const AutocastScope full_precision(AutocastState::off());
  const auto losses = diffusion_.loss(logits, inputs.tensor("x0"), inputs.tensor("xt"), t,
                                      config_.kl_weight, config_.ce_weight, weight);
  LossTerms out;
  out.total = losses.total;
  out.parts = {{"kl", losses.kl}, {"cross_entropy", losses.cross_entropy}};
  if (distilled_ && inputs.tensors.contains("sentence")) distill(inputs, context.middle, out);
  return out;
}

at::Tensor SynthesizerImpl::sample(const MaskRequest& request,
                                   const std::function<void(int64_t, int64_t)>& on_step) {
  return MaskSampler(*this, request).run(on_step);
}

}  // namespace guidegen
