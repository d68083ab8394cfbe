#include "guidegen/diffusion/flow.hpp"

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

/// t [B] shaped to broadcast over x [B,…], in x's type and place.
at::Tensor per_sample(const at::Tensor& t, const at::Tensor& x) {
  if (t.dim() != 1 || t.size(0) != x.size(0)) {
    throw_failure("rectified flow: t is ", t.sizes(), ", expected [", x.size(0), "]");
  }
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  return t.to(x.options()).view(shape);
}

}  // namespace

at::Tensor RectifiedFlow::add_noise(const at::Tensor& x0, const at::Tensor& noise,
                                    const at::Tensor& t) {
  return at::lerp(x0, noise, per_sample(t, x0));
}

at::Tensor RectifiedFlow::target(const at::Tensor& x0, const at::Tensor& noise) {
  return noise - x0;
}

at::Tensor sample_flow(const VelocityFunction& velocity, const at::Tensor& noise, int64_t steps,
                       const std::string& solver, double shift,
                       const std::function<void(int64_t, int64_t)>& on_step) {
  if (steps < 1) throw_usage("flow sampling: ", steps, " steps, expected at least 1");
  if (!(shift >= 1)) throw_usage("flow sampling: shift ", shift, ", expected at least 1");
  if (solver != "euler" && solver != "heun") {
    throw_usage("flow sampling: unknown solver '", solver, "', expected euler or heun");
  }
  const auto time = [&](int64_t step) {
    const double t = 1.0 - static_cast<double>(step) / static_cast<double>(steps);
    return shift * t / (1 + (shift - 1) * t);
  };
  at::Tensor x = noise;
  for (int64_t step = 0; step < steps; ++step) {
    const double t = time(step);
    const double next = time(step + 1);
    const at::Tensor slope = velocity(x, t);
    at::Tensor moved = x + slope * (next - t);
    // The last Heun step stays Euler's: at t = 0 the velocity was never trained (t is in (0,1]).
    if (solver == "heun" && next > 0) {
      moved = x + (slope + velocity(moved, next)) * (0.5 * (next - t));
    }
    x = moved;
    if (on_step) on_step(step + 1, steps);
  }
  return x;
}

}  // namespace guidegen
