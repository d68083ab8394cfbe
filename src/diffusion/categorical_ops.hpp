#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <tuple>

// The operators of categorical diffusion, called through LibTorch's dispatcher, which picks the
// kernels of the tensors' device: those of the CPU and of the meta device are part of the program,
// those of CUDA come with the plug-in. Their schemas stand in categorical_ops.cpp.
//
// Logits are [B,K,D,H,W] float32, bfloat16 or float16 in either memory format; labels [B,D,H,W]
// uint8 (K <= 256) or uint16; uniforms and weights [B,D,H,W] float32; t [B] int64; alpha_bar [T+1]
// float64. All tensors of a call are on one device, and no kernel of another device than the CPU
// waits for it: there, values out of range stop the device instead of throwing.

namespace guidegen::categorical {

struct LossResult {
  at::Tensor total;     ///< [] float32, kl_weight kl + ce_weight ce, differentiable in the logits
  at::Tensor parts;     ///< [2] float32: kl, cross-entropy
  at::Tensor gradient;  ///< like logits; empty without gradient. backward() of the total may use
                        ///< it up
};

/// The gradient is computed when `with_gradient` or when autograd will ask for it. It is the
/// derivative of a mean over voxels: with float16 logits put the loss scale into the two weights,
/// because scaled later its small values have been lost.
LossResult loss(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                const at::Tensor& t, const at::Tensor& alpha_bar, double kl_weight,
                double ce_weight, const std::optional<at::Tensor>& weight,
                bool with_gradient = false);

/// p(x_s|x_t) as [B,K,D,H,W] float32, contiguous.
at::Tensor posterior(const at::Tensor& logits, const at::Tensor& xt, double alpha_bar_t,
                     double alpha_bar_s);

at::Tensor sample(const at::Tensor& logits, const at::Tensor& xt, const at::Tensor& uniform,
                  double alpha_bar_t, double alpha_bar_s);

at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& uniform, const at::Tensor& t,
                     const at::Tensor& alpha_bar, int64_t labels);

}  // namespace guidegen::categorical
