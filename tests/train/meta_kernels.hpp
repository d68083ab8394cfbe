#pragma once

#include <ATen/ExpandUtils.h>
#include <ATen/native/ConvUtils.h>
#include <torch/library.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <tuple>

// Shapes of the operators that LibTorch knows on the `meta` device only with Python's help. Meta
// tensors have shapes and no values: whatever asks them for a value, throws. For one source file.

namespace guidegen::toy::meta {

using OptionalTensor = std::optional<at::Tensor>;
using Three = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using Sizes = at::IntArrayRef;

inline void check_devices(std::initializer_list<at::Tensor> tensors) {
  for (const auto& tensor : tensors) {
    TORCH_CHECK(!tensor.defined() || tensor.is_meta(), "a tensor was left on ", tensor.device());
  }
}

/// Makes the weights meta tensors, but for those whose names begin with `kept`. Module::to does not
/// move there from C++: Tensor::set_data refuses a change of this kind.
inline void to_meta(torch::nn::Module& module, const std::string& kept) {
  const auto move = [&](const std::string& name, const at::Tensor& tensor) {
    if (!kept.empty() && name.rfind(kept, 0) == 0) return;
    const auto target = at::empty_like(tensor.detach(), tensor.options().device(at::kMeta));
    tensor.unsafeGetTensorImpl()->shallow_copy_from(target.getIntrusivePtr());
  };
  for (const auto& item : module.named_parameters()) move(item.key(), item.value());
  for (const auto& item : module.named_buffers()) move(item.key(), item.value());
}

inline at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight,
                              const OptionalTensor& bias, Sizes stride, Sizes padding,
                              Sizes dilation, bool transposed, Sizes, int64_t) {
  check_devices({x, weight, bias.value_or(at::Tensor())});
  TORCH_CHECK(!transposed, "only plain convolutions are needed");
  return at::empty(
      at::native::conv_output_size(x.sizes(), weight.sizes(), padding, stride, dilation),
      x.options().memory_format(x.suggest_memory_format()));
}

inline Three convolution_backward(const at::Tensor& dy, const at::Tensor& x,
                                  const at::Tensor& weight, at::OptionalIntArrayRef, Sizes, Sizes,
                                  Sizes, bool, Sizes, int64_t, std::array<bool, 3>) {
  check_devices({dy, x, weight});
  return {at::empty_like(x), at::empty_like(weight), at::empty({weight.size(0)}, weight.options())};
}

inline at::Tensor index_select(const at::Tensor& x, int64_t axis, const at::Tensor& index) {
  check_devices({x, index});
  auto sizes = x.sizes().vec();
  sizes[static_cast<size_t>(axis)] = index.numel();
  return at::empty(sizes, x.options());
}

inline at::Tensor embedding_dense_backward(const at::Tensor& dy, const at::Tensor& indices,
                                           int64_t rows, int64_t, bool) {
  check_devices({dy, indices});
  return at::empty({rows, dy.size(-1)}, dy.options());
}

inline Three layer_norm(const at::Tensor& x, Sizes normalized, const OptionalTensor& weight,
                        const OptionalTensor& bias, double) {
  check_devices({x, *weight, *bias});
  auto sizes = x.sizes().vec();
  std::fill(sizes.end() - static_cast<std::ptrdiff_t>(normalized.size()), sizes.end(), 1);
  return {at::empty_like(x), at::empty(sizes, x.options()), at::empty(sizes, x.options())};
}

inline Three group_norm(const at::Tensor& x, const OptionalTensor& weight,
                        const OptionalTensor& bias, int64_t batch, int64_t, int64_t, int64_t groups,
                        double) {
  check_devices({x, *weight, *bias});
  return {at::empty_like(x), at::empty({batch, groups}, x.options()),
          at::empty({batch, groups}, x.options())};
}

inline at::Tensor& same_shape_out(const at::Tensor& x, at::Tensor& out) {
  check_devices({x, out});
  out.resize_(x.sizes());
  return out;
}

inline at::Tensor& both_shapes_out(const at::Tensor& a, const at::Tensor& b, at::Tensor& out) {
  check_devices({a, b, out});
  out.resize_(at::infer_size(a.sizes(), b.sizes()));
  return out;
}

inline at::Tensor& where_out(const at::Tensor& condition, const at::Tensor& a, const at::Tensor& b,
                             at::Tensor& out) {
  check_devices({condition});
  // Scalars may come from the CPU on every device.
  if (a.dim() > 0) check_devices({a});
  if (b.dim() > 0) check_devices({b});
  const auto sizes = at::infer_size(condition.sizes(), at::infer_size(a.sizes(), b.sizes()));
  out.resize_(sizes);
  return out;
}

inline at::Tensor where(const at::Tensor& condition, const at::Tensor& a, const at::Tensor& b) {
  auto out = at::empty({0}, condition.options().dtype(at::result_type(a, b)));
  return where_out(condition, a, b, out);
}

inline Three layer_norm_backward(const at::Tensor& dy, const at::Tensor& x, Sizes,
                                 const at::Tensor& mean, const at::Tensor& rstd,
                                 const OptionalTensor& weight, const OptionalTensor& bias,
                                 std::array<bool, 3>) {
  check_devices({dy, x, mean, rstd, *weight, *bias});
  return {at::empty_like(x), at::empty_like(*weight), at::empty_like(*bias)};
}

inline Three group_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& mean,
                                 const at::Tensor& rstd, const OptionalTensor& weight, int64_t,
                                 int64_t channels, int64_t, int64_t, std::array<bool, 3>) {
  check_devices({dy, x, mean, rstd, *weight});
  return {at::empty_like(x), at::empty_like(*weight), at::empty({channels}, weight->options())};
}

inline void fused_adamw(at::TensorList weights, at::TensorList gradients, at::TensorList moments,
                        at::TensorList squares, at::TensorList, at::TensorList counts, double,
                        double, double, double, double, bool, bool, const OptionalTensor&,
                        const OptionalTensor& found_inf) {
  check_devices({*found_inf});
  for (size_t i = 0; i < weights.size(); ++i) {
    check_devices({weights[i], gradients[i], moments[i], squares[i], counts[i]});
  }
}

TORCH_LIBRARY_IMPL(aten, Meta, m) {
  m.impl("convolution", convolution);
  m.impl("convolution_backward", convolution_backward);
  m.impl("index_select", index_select);
  m.impl("embedding_dense_backward", embedding_dense_backward);
  m.impl("abs.out", same_shape_out);
  m.impl("logical_not.out", same_shape_out);
  m.impl("logical_and.out", both_shapes_out);
  m.impl("where.self", where);
  m.impl("where.self_out", where_out);
  m.impl("native_layer_norm", layer_norm);
  m.impl("native_group_norm", group_norm);
  m.impl("native_layer_norm_backward", layer_norm_backward);
  m.impl("native_group_norm_backward", group_norm_backward);
  m.impl("_fused_adamw_", fused_adamw);
}

}  // namespace guidegen::toy::meta
