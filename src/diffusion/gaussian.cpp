#include "guidegen/diffusion/gaussian.hpp"

#include <cmath>
#include <utility>

#include "diffusion/schedule_table.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

/// sqrt(alpha_bar) and sqrt(1 - alpha_bar) of each sample, shaped to broadcast over x [B,…].
struct Shares {
  at::Tensor signal;
  at::Tensor noise;
};

Shares shares_of(const at::Tensor& alpha_bars, const at::Tensor& t, const at::Tensor& x) {
  if (t.dim() != 1 || t.size(0) != x.size(0) || t.scalar_type() != at::kLong) {
    throw_failure("Gaussian diffusion: t is ", t.scalar_type(), " ", t.sizes(), ", expected Long [",
                  x.size(0), "]");
  }
  const int64_t last = alpha_bars.size(0) - 1;
  // Elsewhere the check would make the host wait for the device.
  if (t.is_cpu() && t.numel() > 0 &&
      (t.min().item<int64_t>() < 0 || t.max().item<int64_t>() > last)) {
    throw_failure("Gaussian diffusion: t from ", t.min().item<int64_t>(), " to ",
                  t.max().item<int64_t>(), ", expected 0 to ", last);
  }
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  const auto alpha_bar = alpha_bars.index_select(0, t).view(shape);
  return {alpha_bar.sqrt().to(x.scalar_type()), (1 - alpha_bar).sqrt().to(x.scalar_type())};
}

}  // namespace

GaussianDiffusion::GaussianDiffusion(NoiseSchedule schedule, std::string prediction)
    : schedule_(std::move(schedule)),
      table_(std::make_shared<ScheduleTable>(schedule_)),
      prediction_(std::move(prediction)) {
  if (prediction_ != "epsilon" && prediction_ != "v") {
    throw_usage("Gaussian diffusion: unknown prediction '", prediction_,
                "', expected epsilon or v");
  }
}

at::Tensor GaussianDiffusion::add_noise(const at::Tensor& x0, const at::Tensor& noise,
                                        const at::Tensor& t) const {
  const Shares share = shares_of(table_->on(t.device()), t, x0);
  return share.signal * x0 + share.noise * noise;
}

at::Tensor GaussianDiffusion::target(const at::Tensor& x0, const at::Tensor& noise,
                                     const at::Tensor& t) const {
  if (prediction_ == "epsilon") return noise;
  const Shares share = shares_of(table_->on(t.device()), t, x0);
  return share.signal * noise - share.noise * x0;
}

at::Tensor GaussianDiffusion::predict_x0(const at::Tensor& output, const at::Tensor& xt,
                                         int64_t t) const {
  const double alpha_bar = schedule_.alpha_bar(t);
  const double signal = std::sqrt(alpha_bar);
  const double noise = std::sqrt(1 - alpha_bar);
  if (prediction_ == "epsilon") return (xt - noise * output) / signal;
  return signal * xt - noise * output;
}

double GaussianDiffusion::snr(int64_t t) const {
  const double alpha_bar = schedule_.alpha_bar(t);
  return alpha_bar / (1 - alpha_bar);
}

at::Tensor GaussianDiffusion::sample(const Network& network, const at::Tensor& noise, int64_t steps,
                                     const std::string& solver,
                                     const std::function<void(int64_t, int64_t)>& on_step,
                                     const Bounded& bounded) const {
  if (solver != "ddim" && solver != "dpm++2m") {
    throw_usage("Gaussian diffusion: unknown solver '", solver, "', expected ddim or dpm++2m");
  }
  const std::vector<int64_t> times = schedule_.strided(steps);
  at::Tensor x = noise;
  at::Tensor before;  // x_0 as the step before predicted it
  double width_before = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t t = times[static_cast<size_t>(step)];
    const int64_t s = times[static_cast<size_t>(step) + 1];
    const at::Tensor output = network(x, t);
    const at::Tensor predicted = predict_x0(output, x, t);
    const at::Tensor x0 = bounded ? bounded(predicted) : predicted;
    const double width = s > 0 ? 0.5 * std::log(snr(s) / snr(t)) : 0;  // in log(alpha / sigma)
    if (solver == "dpm++2m" && before.defined() && s > 0) {
      const double half_inverse = 0.5 * width / width_before;
      x = step_to(s, t, x, (1 + half_inverse) * x0 - half_inverse * before);
    } else {
      x = bounded ? step_to(s, t, x, x0) : first_order_step(s, t, x, x0, output);
    }
    before = x0;
    width_before = width;
    if (on_step) on_step(step + 1, steps);
  }
  return x;
}

at::Tensor GaussianDiffusion::first_order_step(int64_t s, int64_t t, const at::Tensor& x,
                                               const at::Tensor& x0,
                                               const at::Tensor& output) const {
  const double from = schedule_.alpha_bar(t);
  const double to = schedule_.alpha_bar(s);
  // epsilon is taken from the output: (x - signal x_0)/noise would lose digits at low noise.
  const at::Tensor epsilon =
      prediction_ == "epsilon" ? output : std::sqrt(from) * output + std::sqrt(1 - from) * x;
  return std::sqrt(to) * x0 + std::sqrt(1 - to) * epsilon;
}

at::Tensor GaussianDiffusion::step_to(int64_t s, int64_t t, const at::Tensor& x,
                                      const at::Tensor& x0) const {
  const double from = schedule_.alpha_bar(t);
  const double to = schedule_.alpha_bar(s);
  const double share = std::sqrt((1 - to) / (1 - from));  // sigma_s / sigma_t
  return share * x + (std::sqrt(to) - std::sqrt(from) * share) * x0;
}

}  // namespace guidegen
