#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// Perceptual loss through a network that somebody else trained. JSON keys are the member names.
struct PerceptualConfig {
  std::string network;  ///< path of a TorchScript file (scripts/export_perceptual.py); empty: none
  double weight = 0.1;
  int64_t slices = 4;                           ///< drawn from each crop
  double window_low = -160, window_high = 240;  ///< HU that the network sees as 0 to 1

  static PerceptualConfig from_json(JsonObject object);
  Json to_json() const;
};

/// Distance of slices as a frozen feature network sees them (Zhang et al., "LPIPS", CVPR 2018,
/// without learned weights): features of each layer are scaled to unit length across channels,
/// and the mean squared difference is summed over channels and averaged over voxels and layers.
///
/// The network takes [N,3,H,W] float32 in [0,1], does its own normalization and returns a tensor
/// [N,C,h,w] or a list or tuple of such.
class PerceptualLoss {
 public:
  /// Throws Error(kUsage) naming the file where it cannot be read, or returns something else.
  explicit PerceptualLoss(const PerceptualConfig& config);
  ~PerceptualLoss();
  PerceptualLoss(PerceptualLoss&&) noexcept;
  PerceptualLoss& operator=(PerceptualLoss&&) noexcept;

  void to(const at::Device& device);
  /// made, real: HU [B,1,D,H,W]; slices [B,S] int64 places along D. Scalar.
  at::Tensor operator()(const at::Tensor& made, const at::Tensor& real,
                        const at::Tensor& slices) const;

 private:
  struct Network;
  PerceptualConfig config_;
  std::unique_ptr<Network> network_;
};

}  // namespace guidegen
