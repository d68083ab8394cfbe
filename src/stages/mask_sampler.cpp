#include "stages/mask_sampler.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/blocks.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/stages/likely_labels.hpp"
#include "guidegen/stages/tumor_growth.hpp"
#include "guidegen/volume/labels.hpp"
#include "stages/plan_channels.hpp"

namespace guidegen {

namespace {

constexpr int64_t kBackground = 0;
constexpr double kImpossible = -1e4;  // a logit that no evidence makes up for
// Share of the schedule from which on predicted masks show where the organs will be.
constexpr double kSettleFrom = 0.93;

// Where tumors may be, [1,D,H,W] bool: within 1.5 radii (and the plan's soft edge) of a planned
// one.
at::Tensor tumor_region(const at::Tensor& plan, at::IntArrayRef dhw) {
  const auto halo = plan.slice(1, kPlanChannels - 1, kPlanChannels);
  return at::upsample_nearest3d(halo, dhw).squeeze(1) > std::exp(-1.5);
}

// where() for labels of any type.
at::Tensor choose(const at::Tensor& condition, const at::Tensor& yes, const at::Tensor& no) {
  if (yes.scalar_type() != at::kUInt16) return at::where(condition, yes, no);
  return at::where(condition, yes.view(at::kShort), no.view(at::kShort)).view(at::kUInt16);
}

}  // namespace

MaskSampler::MaskSampler(SynthesizerImpl& synthesizer, const MaskRequest& request)
    : synthesizer_(synthesizer),
      request_(request),
      device_(synthesizer.label_embedding_->weight.device()),
      noise_(request.seed, request.case_id, "mask/noise"),
      guidance_(request.sampling.guidance.value_or(synthesizer.config_.guidance)),
      temperature_(request.sampling.temperature.value_or(synthesizer.config_.temperature)) {
  RandomStream plan_stream(request.seed, request.case_id, "mask/plan");
  plan_ = synthesizer.planner_->sample(request.prompt, request.geometry, plan_stream);
  if (request.given != nullptr) {
    read_given();
    plan_given_tumors();
  }
  if (request.sampling.settle && request.vocabulary != nullptr) {
    settler_.emplace(synthesizer.planner_, request.prompt, request.geometry, *request.vocabulary,
                     RandomStream(request.seed, request.case_id, "mask/settle"),
                     request.given != nullptr ? request.given->fixed : at::Tensor());
  }
  const auto round = [&](const PromptFeatures& text) {
    return request.graphed ? with_round_length(text) : text;
  };
  with_.text =
      round(request.text ? synthesizer.encode({request.prompt}, request.text->tokens.to(device_),
                                              request.text->present.to(device_))
                         : synthesizer.encode({request.prompt}));
  with_.geometry = geometry_features(request.geometry).to(device_);
  without_ = with_;
  without_.text = round(synthesizer.encode({std::nullopt}));
  use_plan();
}

void MaskSampler::use_plan() {
  with_.plan = plan_with_coordinates(plan_, request_.geometry).to(device_);
  with_.odds = padded_log_odds(plan_, request_.geometry).to(device_);
  without_.plan = with_.plan;
  without_.odds = with_.odds;
  no_tumor_ = tumor_region(with_.plan, with_.odds.sizes().slice(1)).logical_not();
}

void MaskSampler::read_given() {
  const auto padded = [&](const at::Tensor& volume) {
    return pad_to_multiple(volume.unsqueeze(0), kMaskFactor, 0).to(device_);
  };
  given_ = padded(request_.given->labels);
  fixed_ = padded(request_.given->fixed);
}

// Tumors that are given already answer the prompt: they take the place of planned ones of the same
// organ and position, the most similar in size first.
void MaskSampler::plan_given_tumors() {
  const Vocabulary& vocabulary = *request_.vocabulary;
  auto scene = request_.given->labels.clone();
  fill_label_(scene,
              voxels_of(scene, vocabulary.tumor()).logical_and(request_.given->fixed.logical_not()),
              vocabulary.body());
  TumorPlan given =
      plan_of(find_tumors({scene.unsqueeze(0), request_.geometry}, vocabulary), request_.geometry);
  for (PlannedTumor& tumor : given) {
    tumor.given = true;
    const auto unlike = [&](const PlannedTumor& other) {
      return other.position == tumor.position ? std::abs(other.diameter_mm - tumor.diameter_mm)
                                              : std::numeric_limits<double>::infinity();
    };
    const auto nearest =
        std::min_element(plan_.begin(), plan_.end(),
                         [&](const auto& a, const auto& b) { return unlike(a) < unlike(b); });
    if (nearest != plan_.end() && std::isfinite(unlike(*nearest))) plan_.erase(nearest);
  }
  plan_.insert(plan_.begin(), given.begin(), given.end());
}

std::vector<int64_t> MaskSampler::times() const {
  const auto& schedule = synthesizer_.diffusion_.schedule();
  const auto& sampling = request_.sampling;
  if (sampling.times.empty()) {
    const int64_t steps = sampling.steps > 0 ? sampling.steps : synthesizer_.config_.sampling_steps;
    return schedule.strided(steps,
                            sampling.exponent.value_or(synthesizer_.config_.sampling_exponent));
  }
  std::vector<int64_t> result;
  for (const double share : sampling.times) {
    const int64_t t = std::llround(share * double(schedule.steps()));
    // The walk starts from pure noise, which is what the network expects at the end of the
    // schedule.
    if (t < 1 || (result.empty() ? t != schedule.steps() : t >= result.back())) {
      throw_usage("sampling: times: ", share, ", expected shares of the schedule from 1 down to ",
                  1.0 / double(schedule.steps()), ", each smaller than the one before");
    }
    result.push_back(t);
  }
  result.push_back(0);
  return result;
}

at::Tensor MaskSampler::start() {
  const int64_t labels = synthesizer_.diffusion_.labels();
  return (random_uniform(noise_, with_.odds.sizes()) * double(labels))
      .clamp_max(double(labels - 1))
      .to(label_type(labels))
      .to(device_);
}

at::Tensor MaskSampler::call_network(const at::Tensor& x, const at::Tensor& time,
                                     const SynthesizerImpl::Condition& given) {
  if (!request_.graphed) return synthesizer_.context_logits(x, time, given);
  // The next replay overwrites the result of this one.
  return synthesizer_
      .graphed_context_({x, time, given.text.tokens, given.text.present, given.text.pooled,
                         given.plan, given.geometry})
      .clone();
}

at::Tensor MaskSampler::call_network(const at::Tensor& x, const at::Tensor& time) {
  const auto context = call_network(x, time, with_);
  if (guidance_ == 1.0) return context / temperature_;
  const auto free = call_network(x, time, without_);
  return (free + guidance_ * (context - free)) / temperature_;
}

void MaskSampler::settle(at::Tensor& logits, int64_t t) {
  if (!settler_ || plan_.empty() ||
      double(t) > kSettleFrom * double(synthesizer_.diffusion_.schedule().steps())) {
    return;
  }
  const int64_t tumor = synthesizer_.tumor_;
  auto of_tumor = logits.select(1, tumor);
  const auto before = of_tumor.clone();
  of_tumor.fill_(kImpossible);
  const auto likeliest = logits.argmax(1).to(label_type(synthesizer_.diffusion_.labels()));
  of_tumor.copy_(before);
  auto anatomy = cropped(keep_given(likeliest, 0));
  fill_label_(anatomy, voxels_of(anatomy, tumor), request_.vocabulary->body());
  const auto old_odds = with_.odds;
  if (!settler_->settle(plan_, anatomy)) return;
  use_plan();
  of_tumor.add_(with_.odds - old_odds);
}

void MaskSampler::forbid(at::Tensor& logits) const {
  // The plan lists every tumor, so elsewhere their probability is zero, not merely small.
  logits.select(1, synthesizer_.tumor_).masked_fill_(no_tumor_, kImpossible);
  if (request_.given == nullptr) return;
  for (const int label : request_.given->complete) logits.select(1, label).fill_(kImpossible);
}

at::Tensor MaskSampler::keep_given(const at::Tensor& x, int64_t s) {
  if (!fixed_.defined()) return x;
  if (s == 0) return choose(fixed_, given_, x);
  const auto noised = synthesizer_.diffusion_.add_noise(
      given_, torch::tensor({s}), queue_to(random_uniform(noise_, x.sizes()), device_));
  return choose(fixed_, noised, x);
}

at::Tensor MaskSampler::step(const at::Tensor& x, int64_t t, int64_t s) {
  const auto time = torch::tensor({t}).to(device_);
  // Temperature sharpens what the surroundings say and leaves the voxel's own label its exact
  // weight: sharpening that as well would freeze the noise that the mask started from.
  auto logits = synthesizer_.add_evidence(call_network(x, time), x, time, with_);
  settle(logits, t);
  forbid(logits);
  if (s == 0 && request_.sampling.majority) return keep_given(finish(logits), 0);
  const auto drawn = synthesizer_.diffusion_.sample_step(
      logits, x, t, s, queue_to(random_uniform(noise_, x.sizes()), device_));
  return keep_given(drawn, s);
}

// Likely labels everywhere: single voxels drawn at random would only be noise. `log_odds` of tumor
// are of the plan's tumors alone, so the other labels share what is left among themselves.
at::Tensor MaskSampler::finish(const at::Tensor& logits) {
  const int64_t tumor = synthesizer_.tumor_;
  auto others = logits.clone();
  others.select(1, tumor).fill_(kImpossible);
  const auto strongest = others.amax(1);
  const auto flat = torch::log_softmax(others[0].flatten(1), 0);
  const auto label = likely_labels(flat).view(strongest.sizes());
  auto mask = keep_given(label.to(label_type(synthesizer_.diffusion_.labels())), 0);
  auto odds = cropped(logits.select(1, tumor) - strongest).to(at::kFloat);
  auto inside = cropped(mask);
  auto blocked = voxels_of(inside, kBackground);  // tumors do not leave the body
  if (request_.given != nullptr) blocked.logical_or_(request_.given->fixed);
  grow_tumors(inside, odds, blocked, plan_, request_.geometry, tumor);
  return pad_to_multiple(inside.unsqueeze(0), kMaskFactor, 0).to(device_);
}

// What the network makes of the finished mask under several draws of moderate noise, averaged: what
// was drawn by chance in one place does not come back, what the surroundings bear out does.
at::Tensor MaskSampler::vote(const at::Tensor& x, double share, int64_t votes) {
  const auto& diffusion = synthesizer_.diffusion_;
  const int64_t t =
      std::max<int64_t>(1, std::llround(share * double(diffusion.schedule().steps())));
  const auto time = torch::tensor({t});
  const auto there = time.to(device_);
  at::Tensor sum;
  for (int64_t i = 0; i < votes; ++i) {
    const auto noised =
        diffusion.add_noise(x, time, queue_to(random_uniform(noise_, x.sizes()), device_));
    auto logits = synthesizer_.add_evidence(call_network(noised, there), noised, there, with_);
    forbid(logits);
    const auto vote = torch::softmax(logits, 1);
    sum = sum.defined() ? sum.add_(vote) : vote;
  }
  return finish(torch::log(sum.div_(double(votes)).clamp_min_(1e-6)));
}

at::Tensor MaskSampler::cropped(const at::Tensor& x) const {
  const auto size = to_dhw(request_.geometry.size);
  return x[0]
      .slice(0, 0, size[0])
      .slice(1, 0, size[1])
      .slice(2, 0, size[2])
      .to(at::kCPU)
      .contiguous();
}

at::Tensor MaskSampler::run(const std::function<void(int64_t, int64_t)>& on_step) {
  const torch::NoGradGuard no_grad;
  const auto ladder = times();
  const auto& rounds = synthesizer_.config_.vote_times;
  const int64_t votes = request_.sampling.majority
                            ? request_.sampling.votes.value_or(synthesizer_.config_.sampling_votes)
                            : 0;
  const auto calls = static_cast<int64_t>(ladder.size()) - 1;
  const int64_t all = calls + votes * static_cast<int64_t>(rounds.size());
  auto x = keep_given(start(), ladder.front());
  for (int64_t i = 0; i < calls; ++i) {
    x = step(x, ladder[static_cast<size_t>(i)], ladder[static_cast<size_t>(i) + 1]);
    if (on_step) on_step(i + 1, all);
  }
  for (size_t round = 0; votes > 0 && round < rounds.size(); ++round) {
    x = keep_given(vote(x, rounds[round], votes), 0);
    if (on_step) on_step(calls + votes * static_cast<int64_t>(round + 1), all);
  }
  return cropped(x);
}

}  // namespace guidegen
