#pragma once

#include "guidegen/core/json.hpp"
#include "guidegen/nn/patch_discriminator.hpp"

namespace guidegen {

/// Adversarial training of the autoencoder. JSON keys are the member names.
struct AdversaryConfig {
  double weight = 0;          ///< of the adversarial term; 0: no discriminators at all
  double feature_weight = 1;  ///< of feature matching, relative to `weight`
  int64_t start_step = 1000;  ///< reconstruction alone comes first
  int64_t slices = 8;         ///< drawn from each crop for the 2-D discriminator
  int64_t width = 16;         ///< channels of the discriminators' first layers
  int64_t layers = 3;         ///< of each discriminator, that halve the resolution

  static AdversaryConfig from_json(JsonObject object);
  Json to_json() const;
};

/// A discriminator of slices and one of patches in three dimensions, with hinge loss (Lim & Ye,
/// "Geometric GAN", 2017), feature matching (Wang et al., "pix2pixHD", CVPR 2018) and the adaptive
/// weight of VQGAN (Esser et al., CVPR 2021).
class AdversaryImpl : public torch::nn::Module {
 public:
  AdversaryImpl(const AdversaryConfig& config, int64_t channels);

  struct Terms {
    at::Tensor generator;        ///< weighted; its gradient reaches `made` alone
    at::Tensor discriminator;    ///< its gradient reaches the discriminators alone
    at::Tensor features;         ///< feature matching, before weights; detached
    at::Tensor adaptive_weight;  ///< detached
  };
  /// made, real: exposures [B,C,D,H,W]; slices [B,S] int64 places along `axis` 2, 3 or 4.
  /// `reconstruction` is the rest of the generator's loss and `last` the weight that it meets last:
  /// the adversarial term is scaled so that its gradient there is `weight` times as long.
  Terms judge(const at::Tensor& made, const at::Tensor& real, const at::Tensor& slices,
              int64_t axis, const at::Tensor& reconstruction, const at::Tensor& last);
  /// Zero, but with a (zero) gradient for each weight: for the steps before the start.
  at::Tensor idle();

  const AdversaryConfig& config() const { return config_; }

 private:
  void learn(bool on);

  AdversaryConfig config_;
  PatchDiscriminator slice_{nullptr}, patch_{nullptr};
};
TORCH_MODULE(Adversary);

}  // namespace guidegen
