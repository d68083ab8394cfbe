#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "guidegen/diffusion/noise_schedule.hpp"

namespace guidegen {

class ScheduleTable;

/// Categorical diffusion with a uniform kernel (Austin et al., "D3PM", NeurIPS 2021) over K labels
/// in closed form: with alpha = alpha_bar(t)/alpha_bar(s) and a = alpha_bar(s),
///   q(x_t|x_0)   = alpha_bar(t) [x_t = x_0] + (1 - alpha_bar(t))/K
///   A_c          = alpha [c = x_t] + (1 - alpha)/K
///   Z_d          = a A_d + (1 - a)/K
///   p(x_s=c|x_t) = A_c ( a p_c / Z_c + (1-a)/K sum_d p_d / Z_d )
/// A and Z take two values each, so cost is O(K) a voxel and scratch O(1). t = 1 conditions on x_0
/// exactly. Labels are uint8 (K <= 256) or uint16 tensors [B,D,H,W]; logits [B,K,D,H,W] float32,
/// bfloat16 or float16, in either memory format.
/// The tensors of a call are on one device, any that has kernels for these operators (CPU, meta,
/// with the plug-in CUDA); t may be on the CPU at any rate. Wrong shapes and types throw
/// Error(kFailure); so do labels and times out of range and logits that aren't finite on the CPU,
/// where results are the same bits for any number of threads. On other devices nothing waits for
/// the device, and such values make it stop.
class CategoricalDiffusion {
 public:
  CategoricalDiffusion(NoiseSchedule schedule, int64_t labels);

  const NoiseSchedule& schedule() const { return schedule_; }
  int64_t labels() const { return labels_; }

  /// Draws x_t from q(x_t|x_0). `t` [B] int64, 0…T; `uniform` [B,D,H,W] float32 in [0,1).
  at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& t, const at::Tensor& uniform) const;

  /// Means over voxels and batch, float32; `total` carries the gradient, the parts do not.
  struct Loss {
    at::Tensor total;  ///< kl_weight * kl + ce_weight * cross_entropy
    at::Tensor kl;     ///< KL( q(x_{t-1}|x_t,x_0) || p(x_{t-1}|x_t) ), nats; at t = 1: -log p(x_0)
    at::Tensor cross_entropy;  ///< -log p(x_0)
  };
  /// Hybrid loss with its gradient, of the type and memory format of the logits, in one fused pass.
  /// `t` [B] >= 1. `weight`, when defined, is [B,D,H,W] float32 and multiplies both terms voxel by
  /// voxel (the mean still divides by the voxel count); it is taken as a constant.
  Loss loss(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
            const at::Tensor& t, double kl_weight, double ce_weight,
            const at::Tensor& weight = {}) const;

  /// p(x_s|x_t) as probabilities [B,K,D,H,W] float32 (for tests and inspection). 0 <= s < t, one
  /// for the batch.
  at::Tensor posterior(const at::Tensor& logits, const at::Tensor& xt, int64_t t, int64_t s) const;

  /// Draws x_s from p(x_s|x_t) by inverting its distribution at `uniform` [B,D,H,W]; s = 0 draws
  /// from p(x_0).
  at::Tensor sample_step(const at::Tensor& logits, const at::Tensor& xt, int64_t t, int64_t s,
                         const at::Tensor& uniform) const;

 private:
  NoiseSchedule schedule_;
  int64_t labels_;
  std::shared_ptr<ScheduleTable> table_;
};

}  // namespace guidegen
