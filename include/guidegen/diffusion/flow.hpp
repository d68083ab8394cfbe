#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>

namespace guidegen {

/// Rectified flow (Liu et al., ICLR 2023): x_t = (1-t) x_0 + t e, velocity target e - x_0, t in
/// [0,1].
struct RectifiedFlow {
  static at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& noise,
                              const at::Tensor& t);  ///< t [B] float32
  static at::Tensor target(const at::Tensor& x0, const at::Tensor& noise);
};

/// velocity(x [B,C,D,H,W], t in (0,1]) -> [B,C,D,H,W].
using VelocityFunction = std::function<at::Tensor(const at::Tensor& x, double t)>;

/// Integrates from t = 1 (pure `noise`) to 0 in `steps` equal steps. `solver`: "euler" (one call a
/// step) or "heun" (two, but one in the last step: the velocity at t = 0 is never trained; the
/// order stays 2). `shift` >= 1 bends the time grid towards noise: t' = shift t / (1 + (shift-1)
/// t). `on_step(done, total)` is called after each step when set. Throws Error(kUsage).
at::Tensor sample_flow(const VelocityFunction& velocity, const at::Tensor& noise, int64_t steps,
                       const std::string& solver, double shift = 1.0,
                       const std::function<void(int64_t, int64_t)>& on_step = {});

}  // namespace guidegen
