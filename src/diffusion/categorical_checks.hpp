#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "guidegen/core/error.hpp"

// What every kernel of the categorical operators, on whatever device, asks of its arguments before
// it looks at a single value. In a header because the CUDA kernels live in a library of their own.

namespace guidegen::categorical {

inline void check_same_device(const at::Tensor& tensor, const char* name, const at::Tensor& like) {
  if (tensor.device() != like.device()) {
    throw_failure("categorical diffusion: ", name, " is on ", tensor.device(), ", expected ",
                  like.device(), " as the others");
  }
}

/// `x` is uint8 or uint16; uint8 holds at most 256 labels.
inline void check_label_type(const at::Tensor& x, const char* name, int64_t labels) {
  constexpr int64_t kMostInAByte = 256;
  const bool fits =
      (x.scalar_type() == at::kByte && labels <= kMostInAByte) || x.scalar_type() == at::kUInt16;
  if (!fits) {
    throw_failure("categorical diffusion: ", name, " is ", x.scalar_type(), " for ", labels,
                  " labels, expected uint8 (up to 256 labels) or uint16");
  }
}

/// `values` is float32 of the shape of the labels `x`.
inline void check_voxel_values(const at::Tensor& values, const char* name, const at::Tensor& x) {
  if (values.sizes() != x.sizes() || values.scalar_type() != at::kFloat) {
    throw_failure("categorical diffusion: ", name, " is ", values.scalar_type(), " ",
                  values.sizes(), ", expected Float ", x.sizes());
  }
  check_same_device(values, name, x);
}

/// `logits` [B,K,D,H,W] float32, bfloat16 or float16, and labels `xt` [B,D,H,W].
inline void check_logits(const at::Tensor& logits, const at::Tensor& xt) {
  if (logits.dim() != 5 || xt.dim() != 4 || logits.size(0) != xt.size(0) || logits.size(1) < 2 ||
      logits.sizes().slice(2) != xt.sizes().slice(1)) {
    throw_failure("categorical diffusion: logits ", logits.sizes(), " and x_t ", xt.sizes(),
                  ", expected [B,K,D,H,W] and [B,D,H,W]");
  }
  const auto type = logits.scalar_type();
  if (type != at::kFloat && type != at::kBFloat16 && type != at::kHalf) {
    throw_failure("categorical diffusion: logits are ", type, ", expected Float, BFloat16 or Half");
  }
  check_label_type(xt, "x_t", logits.size(1));
  check_same_device(xt, "x_t", logits);
}

/// `t` [batch] int64 and the table `alpha_bar` [T+1] float64.
inline void check_times(const at::Tensor& t, const at::Tensor& alpha_bar, const at::Tensor& x) {
  if (t.dim() != 1 || t.size(0) != x.size(0) || t.scalar_type() != at::kLong) {
    throw_failure("categorical diffusion: t is ", t.scalar_type(), " ", t.sizes(),
                  ", expected Long [", x.size(0), "]");
  }
  if (alpha_bar.dim() != 1 || alpha_bar.size(0) < 2 || alpha_bar.scalar_type() != at::kDouble) {
    throw_failure("categorical diffusion: alpha_bar is ", alpha_bar.scalar_type(), " ",
                  alpha_bar.sizes(), ", expected Double [T+1]");
  }
  check_same_device(t, "t", x);
  check_same_device(alpha_bar, "alpha_bar", x);
}

inline void check_loss(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                       const at::Tensor& t, const at::Tensor& alpha_bar,
                       const std::optional<at::Tensor>& weight) {
  check_logits(logits, xt);
  if (x0.sizes() != xt.sizes() || x0.scalar_type() != xt.scalar_type()) {
    throw_failure("categorical diffusion: x_0 is ", x0.scalar_type(), " ", x0.sizes(), ", x_t ",
                  xt.scalar_type(), " ", xt.sizes(), ", expected the same");
  }
  check_same_device(x0, "x_0", logits);
  check_times(t, alpha_bar, xt);
  if (weight) check_voxel_values(*weight, "weight", xt);
}

inline void check_add_noise(const at::Tensor& x0, const at::Tensor& uniform, const at::Tensor& t,
                            const at::Tensor& alpha_bar, int64_t labels) {
  if (x0.dim() != 4) {
    throw_failure("categorical diffusion: x_0 is ", x0.sizes(), ", expected [B,D,H,W]");
  }
  check_label_type(x0, "x_0", labels);
  check_voxel_values(uniform, "uniform", x0);
  check_times(t, alpha_bar, x0);
}

/// The logits as they are if dense in one of the two layouts that the kernels read, else a copy.
inline at::Tensor dense_logits(const at::Tensor& logits) {
  return logits.is_contiguous(at::MemoryFormat::ChannelsLast3d) ? logits : logits.contiguous();
}

/// Which of the two layouts `dense` has; with one of them only when both fit.
inline bool is_channels_last(const at::Tensor& dense) { return !dense.is_contiguous(); }

/// Like `dense`, in its layout; without `wanted`, empty.
inline at::Tensor gradient_buffer(const at::Tensor& dense, bool wanted) {
  return wanted ? at::empty_like(dense) : at::empty({0}, dense.options());
}

}  // namespace guidegen::categorical
