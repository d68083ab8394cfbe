#pragma once

#include "guidegen/stages/adversary.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/stages/perceptual_loss.hpp"
#include "guidegen/stages/stage.hpp"

namespace guidegen {

/// Trains the autoencoder: its losses, and what they need beside the network. Submodules:
/// "network", which is what a model directory keeps, and "adversary" where there is one.
class AutoencoderTrainingImpl : public torch::nn::Module {
 public:
  /// `tumor`: the label that losses.tumor_weight is about. Throws Error(kUsage) where the
  /// perceptual network cannot be read or the exposure weights are not one an exposure.
  AutoencoderTrainingImpl(HdrAutoencoder network, int64_t tumor);

  /// How often each label occurs among training voxels, [K] int64. Voxels of a label that takes a
  /// share p of them then count p^-balance times (losses.organ_balance), at most 100 times the
  /// average, scaled so that the mean over voxels is 1. losses.tumor_weight comes on top.
  void set_label_counts(const at::Tensor& counts);
  /// The same for classes of HU, between the tissue_borders(): [borders+1] int64, and
  /// losses.tissue_balance. A voxel's weight is the product of both.
  void set_tissue_counts(const at::Tensor& counts);

  /// Draws crops: tensors hu [B,1,c,c,c] float32 HU, labels [B,c,c,c] int32, unguided [B,1,1,1]
  /// bool, noise of the latent, window_center and window_width [B,1,1,1,1] HU, and slices [B,S]
  /// int64 places where a loss looks at slices. May run on any thread.
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const;
  LossTerms loss(const StepInputs& inputs);
  /// Once after each optimizer step; see VectorQuantizerImpl::end_step. Nothing to do for "kl".
  void end_step(const VectorQuantizerImpl::Peers& peers, RandomStream random);

  /// Moves the network and what its losses need; use instead of `to` of the base class.
  void move_to(const at::Device& device);
  HdrAutoencoder& network() { return network_; }
  const HdrAutoencoder& network() const { return network_; }

 private:
  struct Views;
  at::Tensor voxel_weights(const at::Tensor& hu, const at::Tensor& labels) const;
  LossTerms reconstruction(const Views& views) const;
  void add_adversary(const Views& views, const StepInputs& inputs, LossTerms& terms);

  HdrAutoencoder network_;
  const AutoencoderLosses& losses_;
  int64_t tumor_;
  at::Tensor label_weights_;     // buffer [K] float32
  at::Tensor tissue_weights_;    // buffer [borders+1] float32
  at::Tensor exposure_weights_;  // buffer [1,E,1,1,1] float32
  Adversary adversary_{nullptr};
  std::optional<PerceptualLoss> perceptual_;
};
TORCH_MODULE(AutoencoderTraining);

}  // namespace guidegen
