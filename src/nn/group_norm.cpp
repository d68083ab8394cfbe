#include "guidegen/nn/group_norm.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "guidegen/core/error.hpp"
#include "nn/group_norm_cpu.hpp"

namespace guidegen {
namespace {

using group_norm::Gradients;
using group_norm::Normalized;
using OptionalTensor = std::optional<at::Tensor>;

using Forward = Normalized(const at::Tensor&, int64_t, const at::Tensor&, const at::Tensor&,
                           const OptionalTensor&, const OptionalTensor&, double);
using Backward = Gradients(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                           const at::Tensor&, int64_t, const at::Tensor&, const at::Tensor&,
                           const OptionalTensor&, const OptionalTensor&);

// Meta tensors have shapes alone; sizes may not be looked at as numbers of values here.
Normalized forward_meta(const at::Tensor& x, int64_t groups, const at::Tensor&, const at::Tensor&,
                        const OptionalTensor&, const OptionalTensor&, double) {
  const auto options = x.options().dtype(at::kFloat);
  return {at::empty_like(x), at::empty({x.size(0), groups}, options),
          at::empty({x.size(0), groups}, options)};
}

Gradients backward_meta(const at::Tensor&, const at::Tensor& x, const at::Tensor&,
                        const at::Tensor&, int64_t, const at::Tensor&, const at::Tensor&,
                        const OptionalTensor&, const OptionalTensor&) {
  const auto options = x.options().dtype(at::kFloat);
  return {at::empty_like(x), at::empty({x.size(1)}, options), at::empty({x.size(1)}, options),
          at::empty({x.size(0), x.size(1)}, options), at::empty({x.size(0), x.size(1)}, options)};
}

// A fragment, as other areas define operators of the same namespace.
TORCH_LIBRARY_FRAGMENT(guidegen, m) {
  m.def(
      "group_norm_silu(Tensor x, int groups, Tensor weight, Tensor bias, Tensor? scale, Tensor? "
      "shift, float eps) -> (Tensor y, Tensor mean, Tensor rstd)");
  m.def(
      "group_norm_silu_backward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, int groups, Tensor "
      "weight, Tensor bias, Tensor? scale, Tensor? shift) -> (Tensor dx, Tensor dweight, Tensor "
      "dbias, Tensor dscale, Tensor dshift)");
}

TORCH_LIBRARY_IMPL(guidegen, CPU, m) {
  m.impl("group_norm_silu", group_norm::forward_cpu);
  m.impl("group_norm_silu_backward", group_norm::backward_cpu);
}

TORCH_LIBRARY_IMPL(guidegen, Meta, m) {
  m.impl("group_norm_silu", forward_meta);
  m.impl("group_norm_silu_backward", backward_meta);
}

template <typename Signature>
const c10::TypedOperatorHandle<Signature>& find_operator(const char* name) {
  static const auto handle =
      c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
  return handle;
}

class GroupNormSilu : public torch::autograd::Function<GroupNormSilu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x,
                            int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                            const OptionalTensor& scale, const OptionalTensor& shift, double eps) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    const auto [y, mean, rstd] = find_operator<Forward>("guidegen::group_norm_silu")
                                     .call(x, groups, weight, bias, scale, shift, eps);
    ctx->saved_data["groups"] = groups;
    ctx->save_for_backward(
        {x, weight, bias, scale.value_or(at::Tensor()), shift.value_or(at::Tensor()), mean, rstd});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list outer) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    const auto saved = ctx->get_saved_variables();
    const bool modulated = saved[3].defined();
    const auto [dx, dweight, dbias, dscale, dshift] =
        find_operator<Backward>("guidegen::group_norm_silu_backward")
            .call(outer[0], saved[0], saved[5], saved[6], ctx->saved_data["groups"].toInt(),
                  saved[1], saved[2], modulated ? OptionalTensor(saved[3]) : std::nullopt,
                  modulated ? OptionalTensor(saved[4]) : std::nullopt);
    return {dx,
            {},
            dweight,
            dbias,
            modulated ? dscale : at::Tensor(),
            modulated ? dshift : at::Tensor(),
            {}};
  }
};

void check_operand(const at::Tensor& operand, const at::Tensor& x, at::IntArrayRef sizes,
                   const char* name) {
  if (operand.sizes() != sizes) {
    throw_failure("group_norm_silu: ", name, " is ", operand.sizes(), ", expected ", sizes);
  }
  if (operand.device() != x.device()) {
    throw_failure("group_norm_silu: ", name, " is on ", operand.device(), ", x on ", x.device());
  }
}

}  // namespace

at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias, const at::Tensor& scale, const at::Tensor& shift,
                           double eps) {
  const auto type = x.scalar_type();
  if (x.dim() < 2 || (type != at::kFloat && type != at::kBFloat16 && type != at::kHalf)) {
    throw_failure("group_norm_silu: x is ", type, " ", x.sizes(),
                  ", expected [B,C,...] of float32, bfloat16 or float16");
  }
  const int64_t channels = x.size(1);
  if (groups < 1 || channels % groups != 0) {
    throw_failure("group_norm_silu: ", groups, " groups do not divide ", channels, " channels");
  }
  check_operand(weight, x, {channels}, "weight");
  check_operand(bias, x, {channels}, "bias");
  if (scale.defined() != shift.defined()) {
    throw_failure("group_norm_silu: scale and shift come together or not at all");
  }
  if (!scale.defined()) {
    return GroupNormSilu::apply(x, groups, weight.to(at::kFloat), bias.to(at::kFloat),
                                OptionalTensor(), OptionalTensor(), eps);
  }
  check_operand(scale, x, {x.size(0), channels}, "scale");
  check_operand(shift, x, {x.size(0), channels}, "shift");
  // Conversions outside the function: autograd takes the gradients back to the operands' types.
  return GroupNormSilu::apply(x, groups, weight.to(at::kFloat), bias.to(at::kFloat),
                              OptionalTensor(scale.to(at::kFloat)),
                              OptionalTensor(shift.to(at::kFloat)), eps);
}

}  // namespace guidegen
