#include "diffusion/categorical_ops.hpp"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/library.h>

#include "diffusion/categorical_checks.hpp"
#include "diffusion/categorical_cpu.hpp"

// Definition of the operators. They are registered by static objects of this file, which the linker
// takes from its library because CategoricalDiffusion calls the functions below.

namespace guidegen::categorical {
namespace {

using OptionalTensor = std::optional<at::Tensor>;
using LossTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

LossTensors call_loss(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                      const at::Tensor& t, const at::Tensor& alpha_bar, double kl_weight,
                      double ce_weight, const OptionalTensor& weight, bool with_gradient) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("guidegen::categorical_loss", "")
                             .typed<decltype(call_loss)>();
  return op.call(logits, x0, xt, t, alpha_bar, kl_weight, ce_weight, weight, with_gradient);
}

at::Tensor& call_scale_gradient(at::Tensor& gradient, const at::Tensor& factor) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("guidegen::scale_gradient_", "")
                             .typed<decltype(call_scale_gradient)>();
  return op.call(gradient, factor);
}

/// Gives a loss computed together with its gradient a place in the autograd graph.
class FusedLoss : public torch::autograd::Function<FusedLoss> {
 public:
  using Context = torch::autograd::AutogradContext;
  using Variables = torch::autograd::variable_list;

  static Variables forward(Context* ctx, const at::Tensor& logits, const at::Tensor& x0,
                           const at::Tensor& xt, const at::Tensor& t, const at::Tensor& alpha_bar,
                           double kl_weight, double ce_weight, const OptionalTensor& weight) {
    const at::AutoDispatchBelowADInplaceOrView below;
    auto [total, parts, gradient] = call_loss(logits, x0, xt, t, alpha_bar, kl_weight, ce_weight,
                                              weight, /*with_gradient=*/true);
    ctx->save_for_backward({gradient});
    ctx->mark_non_differentiable({parts, gradient});
    return {total, parts, gradient};
  }

  static Variables backward(Context* ctx, const Variables& outer) {
    const at::NoGradGuard no_grad;
    at::Tensor gradient = ctx->get_saved_variables()[0];
    // In place, unless somebody may come back for another pass.
    if (torch::autograd::get_current_graph_task_keep_graph()) gradient = gradient.clone();
    constexpr size_t kInputs = 8;
    Variables result(kInputs);
    result[0] = call_scale_gradient(gradient, outer[0]);
    return result;
  }
};

LossTensors autograd_loss(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                          const at::Tensor& t, const at::Tensor& alpha_bar, double kl_weight,
                          double ce_weight, const OptionalTensor& weight, bool with_gradient) {
  if (!at::GradMode::is_enabled() || !logits.requires_grad()) {
    const at::AutoDispatchBelowADInplaceOrView below;
    return call_loss(logits, x0, xt, t, alpha_bar, kl_weight, ce_weight, weight, with_gradient);
  }
  auto out = FusedLoss::apply(logits, x0, xt, t, alpha_bar, kl_weight, ce_weight, weight);
  return {out[0], out[1], out[2]};
}

LossTensors meta_loss(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                      const at::Tensor& t, const at::Tensor& alpha_bar, double /*kl_weight*/,
                      double /*ce_weight*/, const OptionalTensor& weight, bool with_gradient) {
  check_loss(logits, x0, xt, t, alpha_bar, weight);
  const auto options = logits.options().dtype(at::kFloat);
  return {at::empty({}, options), at::empty({2}, options),
          gradient_buffer(dense_logits(logits), with_gradient)};
}

at::Tensor meta_posterior(const at::Tensor& logits, const at::Tensor& xt, double /*alpha_bar_t*/,
                          double /*alpha_bar_s*/) {
  check_logits(logits, xt);
  return at::empty(logits.sizes(), logits.options().dtype(at::kFloat));
}

at::Tensor meta_sample(const at::Tensor& logits, const at::Tensor& xt, const at::Tensor& uniform,
                       double /*alpha_bar_t*/, double /*alpha_bar_s*/) {
  check_logits(logits, xt);
  check_voxel_values(uniform, "uniform", xt);
  return at::empty(xt.sizes(), xt.options());
}

at::Tensor meta_add_noise(const at::Tensor& x0, const at::Tensor& uniform, const at::Tensor& t,
                          const at::Tensor& alpha_bar, int64_t labels) {
  check_add_noise(x0, uniform, t, alpha_bar, labels);
  return at::empty(x0.sizes(), x0.options());
}

at::Tensor& meta_scale_gradient(at::Tensor& gradient, const at::Tensor& /*factor*/) {
  return gradient;
}

}  // namespace

LossResult loss(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                const at::Tensor& t, const at::Tensor& alpha_bar, double kl_weight,
                double ce_weight, const std::optional<at::Tensor>& weight, bool with_gradient) {
  auto [total, parts, gradient] =
      call_loss(logits, x0, xt, t, alpha_bar, kl_weight, ce_weight, weight, with_gradient);
  return {total, parts, gradient};
}

at::Tensor posterior(const at::Tensor& logits, const at::Tensor& xt, double alpha_bar_t,
                     double alpha_bar_s) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("guidegen::categorical_posterior", "")
                             .typed<decltype(posterior)>();
  return op.call(logits, xt, alpha_bar_t, alpha_bar_s);
}

at::Tensor sample(const at::Tensor& logits, const at::Tensor& xt, const at::Tensor& uniform,
                  double alpha_bar_t, double alpha_bar_s) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("guidegen::categorical_sample", "")
                             .typed<decltype(sample)>();
  return op.call(logits, xt, uniform, alpha_bar_t, alpha_bar_s);
}

at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& uniform, const at::Tensor& t,
                     const at::Tensor& alpha_bar, int64_t labels) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("guidegen::categorical_add_noise", "")
                             .typed<decltype(add_noise)>();
  return op.call(x0, uniform, t, alpha_bar, labels);
}

}  // namespace guidegen::categorical

// FRAGMENT, so that other areas may define operators of the same namespace.
TORCH_LIBRARY_FRAGMENT(guidegen, m) {
  m.def(
      "categorical_loss(Tensor logits, Tensor x0, Tensor xt, Tensor t, Tensor alpha_bar, "
      "float kl_weight, float ce_weight, Tensor? weight=None, bool with_gradient=False)"
      " -> (Tensor total, Tensor parts, Tensor gradient)");
  m.def(
      "categorical_posterior(Tensor logits, Tensor xt, float alpha_bar_t, float alpha_bar_s)"
      " -> Tensor");
  m.def(
      "categorical_sample(Tensor logits, Tensor xt, Tensor uniform, float alpha_bar_t, "
      "float alpha_bar_s) -> Tensor");
  m.def(
      "categorical_add_noise(Tensor x0, Tensor uniform, Tensor t, Tensor alpha_bar, int labels)"
      " -> Tensor");
  // Multiplies by a float32 scalar on the same device, without a pass over the data when it is 1.
  m.def("scale_gradient_(Tensor(a!) gradient, Tensor factor) -> Tensor(a!)");
}

TORCH_LIBRARY_IMPL(guidegen, CPU, m) {
  m.impl("categorical_loss", guidegen::categorical::cpu::loss);
  m.impl("categorical_posterior", guidegen::categorical::cpu::posterior);
  m.impl("categorical_sample", guidegen::categorical::cpu::sample);
  m.impl("categorical_add_noise", guidegen::categorical::cpu::add_noise);
  m.impl("scale_gradient_", guidegen::categorical::cpu::scale_gradient_);
}

TORCH_LIBRARY_IMPL(guidegen, Meta, m) {
  m.impl("categorical_loss", guidegen::categorical::meta_loss);
  m.impl("categorical_posterior", guidegen::categorical::meta_posterior);
  m.impl("categorical_sample", guidegen::categorical::meta_sample);
  m.impl("categorical_add_noise", guidegen::categorical::meta_add_noise);
  m.impl("scale_gradient_", guidegen::categorical::meta_scale_gradient);
}

TORCH_LIBRARY_IMPL(guidegen, Autograd, m) {
  m.impl("categorical_loss", guidegen::categorical::autograd_loss);
}
