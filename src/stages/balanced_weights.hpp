#pragma once

#include <ATen/ATen.h>

namespace guidegen {

/// Weights by how often each kind of voxel occurs, from `counts` [N] int64: share^-balance, scaled
/// so that the mean over voxels is 1, at most 100. float64 [N]. `balance` 0: all alike; 1: kinds
/// count the same, however rare.
inline at::Tensor balanced_weights(const at::Tensor& counts, double balance) {
  constexpr double kMostWeight = 100;
  const auto share = counts.to(at::kDouble) / double(counts.sum().item<int64_t>());
  const auto weights = share.clamp_min(1e-12).pow(-balance).masked_fill(share == 0, 1.0);
  return (weights / (weights * share).sum()).clamp_max(kMostWeight);
}

}  // namespace guidegen
