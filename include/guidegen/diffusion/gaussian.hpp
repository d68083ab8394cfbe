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

  /// network(x_t, t) -> output. DDIM (Song et al., ICLR 2021, eq. 12) with eta = 0 over
  /// schedule().strided(steps).
  using Network = std::function<at::Tensor(const at::Tensor& x, int64_t t)>;
  at::Tensor sample_ddim(const Network& network, const at::Tensor& noise, int64_t steps,
                         const std::function<void(int64_t, int64_t)>& on_step = {}) const;

 private:
  NoiseSchedule schedule_;
  std::shared_ptr<ScheduleTable> table_;
  std::string prediction_;
};

}  // namespace guidegen
