#include "guidegen/diffusion/categorical.hpp"

#include <utility>

#include "diffusion/categorical_ops.hpp"
#include "diffusion/schedule_table.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {

namespace {

/// Where the times are needed; they may come from the CPU, without waiting for the device.
at::Tensor times_on(const at::Tensor& t, c10::Device device) {
  return t.to(device, /*non_blocking=*/true);
}

void check_labels(const at::Tensor& logits, int64_t labels) {
  if (logits.dim() != 5 || logits.size(1) != labels) {
    throw_failure("categorical diffusion: logits are ", logits.sizes(), ", expected [B,", labels,
                  ",D,H,W]");
  }
}

void check_step(const NoiseSchedule& schedule, int64_t t, int64_t s) {
  if (s < 0 || s >= t || t > schedule.steps()) {
    throw_failure("categorical diffusion: step from ", t, " to ", s, ", expected ",
                  schedule.steps(), " >= t > s >= 0");
  }
}

}  // namespace

CategoricalDiffusion::CategoricalDiffusion(NoiseSchedule schedule, int64_t labels)
    : schedule_(std::move(schedule)),
      labels_(labels),
      table_(std::make_shared<ScheduleTable>(schedule_)) {
  constexpr int64_t kMostLabels = 65536;
  if (labels < 2 || labels > kMostLabels) {
    throw_usage("categorical diffusion: ", labels, " labels, expected 2 to ", kMostLabels);
  }
}

at::Tensor CategoricalDiffusion::add_noise(const at::Tensor& x0, const at::Tensor& t,
                                           const at::Tensor& uniform) const {
  return categorical::add_noise(x0, uniform, times_on(t, x0.device()), table_->on(x0.device()),
                                labels_);
}

CategoricalDiffusion::Loss CategoricalDiffusion::loss(const at::Tensor& logits,
                                                      const at::Tensor& x0, const at::Tensor& xt,
                                                      const at::Tensor& t, double kl_weight,
                                                      double ce_weight,
                                                      const at::Tensor& weight) const {
  check_labels(logits, labels_);
  const c10::Device device = logits.device();
  const std::optional<at::Tensor> weights =
      weight.defined() ? std::optional(weight.detach()) : std::nullopt;
  const auto result = categorical::loss(logits, x0, xt, times_on(t, device), table_->on(device),
                                        kl_weight, ce_weight, weights);
  return {result.total, result.parts.select(0, 0), result.parts.select(0, 1)};
}

at::Tensor CategoricalDiffusion::posterior(const at::Tensor& logits, const at::Tensor& xt,
                                           int64_t t, int64_t s) const {
  check_labels(logits, labels_);
  check_step(schedule_, t, s);
  return categorical::posterior(logits.detach(), xt, schedule_.alpha_bar(t),
                                schedule_.alpha_bar(s));
}

at::Tensor CategoricalDiffusion::sample_step(const at::Tensor& logits, const at::Tensor& xt,
                                             int64_t t, int64_t s,
                                             const at::Tensor& uniform) const {
  check_labels(logits, labels_);
  check_step(schedule_, t, s);
  return categorical::sample(logits.detach(), xt, uniform, schedule_.alpha_bar(t),
                             schedule_.alpha_bar(s));
}

}  // namespace guidegen
