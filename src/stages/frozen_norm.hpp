#pragma once

#include <vector>

#include "guidegen/nn/blocks.hpp"

namespace guidegen {

/// Count, mean and sum of squared deviations of each channel, gathered tile by tile.
class ChannelMoments {
 public:
  /// x [1,C,D,H,W]
  void add(const at::Tensor& x);

  struct Moments {
    double count = 0, mean = 0, deviation = 0;
    void add(const Moments& other);
  };
  const std::vector<Moments>& channels() const { return channels_; }

 private:
  std::vector<Moments> channels_;
};

/// Group normalization and SiLU by statistics known beforehand: what group_norm_silu() does to a
/// whole volume, on any part of it.
class FrozenNorm {
 public:
  FrozenNorm() = default;
  FrozenNorm(const torch::nn::GroupNormImpl& norm, const ChannelMoments& moments);
  /// NormScope::kVoxel: there is nothing to know beforehand. `norm` must outlive this.
  explicit FrozenNorm(const torch::nn::GroupNormImpl& norm);
  /// x [1,C,D,H,W] in any strides; the result is dense, in the memory order of x.
  at::Tensor silu(const at::Tensor& x) const;

 private:
  const torch::nn::GroupNormImpl* of_voxels_ = nullptr;
  at::Tensor slope_, intercept_;  // [1,C,1,1,1]
};

}  // namespace guidegen
