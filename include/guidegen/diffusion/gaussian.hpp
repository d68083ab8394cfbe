#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>

#include "guidegen/diffusion/noise_schedule.hpp"

namespace guidegen {

class ScheduleTable;

/// Gaussian diffusion x_t = sqrt(ab) x_0 + sqrt(1-ab) e, ab = alpha_bar(t).
/// `prediction`: "epsilon" (the network gives e) or "v" (Salimans & Ho, ICLR 2022: sqrt(ab) e -
/// sqrt(1-ab) x_0).
class GaussianDiffusion {
 public:
  GaussianDiffusion(NoiseSchedule schedule, std::string prediction);

  const NoiseSchedule& schedule() const { return schedule_; }
  at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& noise,
                       const at::Tensor& t) const;  ///< t [B] int64
  at::Tensor target(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& t) const;
  /// x_0 from the network's output at step t.
  at::Tensor predict_x0(const at::Tensor& output, const at::Tensor& xt, int64_t t) const;

  /// network(x_t, t) -> output.
  using Network = std::function<at::Tensor(const at::Tensor& x, int64_t t)>;
  /// From `noise` at t = T to a sample over schedule().strided(steps), one network call a step.
  /// `solver`: "ddim" (Song et al., ICLR 2021, eq. 12, eta = 0) or "dpm++2m" (DPM-Solver++(2M), Lu
  /// et al., 2022, algorithm 2: second order in log SNR by the prediction of the step before; the
  /// first and the last step are of first order, which is DDIM). Throws Error(kUsage) for others.
  /// `bounded`, where given, takes each predicted x_0 to what data can be: near t = T the network's
  /// errors in epsilon are multiplied a hundredfold there.
  using Bounded = std::function<at::Tensor(const at::Tensor& x0)>;
  at::Tensor sample(const Network& network, const at::Tensor& noise, int64_t steps,
                    const std::string& solver,
                    const std::function<void(int64_t, int64_t)>& on_step = {},
                    const Bounded& bounded = {}) const;

  /// Signal-to-noise ratio alpha_bar / (1 - alpha_bar) at t = 1…T, at t = 0 infinite.
  double snr(int64_t t) const;

 private:
  // x at s < t from x at t and the two of what it is made of; `output` is the network's.
  at::Tensor first_order_step(int64_t s, int64_t t, const at::Tensor& x, const at::Tensor& x0,
                              const at::Tensor& output) const;
  // The same with an x_0 that no output belongs to, extrapolated or bounded.
  at::Tensor step_to(int64_t s, int64_t t, const at::Tensor& x, const at::Tensor& x0) const;

  NoiseSchedule schedule_;
  std::shared_ptr<ScheduleTable> table_;
  std::string prediction_;
};

}  // namespace guidegen
