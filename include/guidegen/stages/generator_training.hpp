#pragma once

#include "guidegen/stages/feature_generator.hpp"

namespace guidegen {

struct Box;

/// Trains the feature generator: what it sees of a case, and its losses. Submodule "network" is
/// what a model directory keeps.
class GeneratorTrainingImpl : public torch::nn::Module {
 public:
  explicit GeneratorTrainingImpl(FeatureGenerator network);

  /// How often each label occurs among training voxels, [K] int64, for losses.organ_balance.
  void set_label_counts(const at::Tensor& counts);

  /// Draws crops, times and noise: tensors mask [B,D,H,W] int32 labels (no_label() where the mask
  /// is left out), place [B,9], noise of the latents' shape, time [B], time_weight [B]; where
  /// losses look at labels, labels [B,D,H,W] int32 (never left out); and for the tumor contrast,
  /// where a case has tumors, contrast_rows [N] int64, contrast_mask [N,D,H,W] int32, those
  /// cases without, and contrast_inside and contrast_outside [N,1,D/4,H/4,W/4], where there is a
  /// tumor and where there is none near. `origins` of the result say where the crops lie. May run
  /// on any thread. Throws Error(kFailure) naming a case that is smaller than the crop.
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const;
  /// `latents` [B,Z,D/4,H/4,W/4] as the autoencoder gives them, of the crops; `coarse` those of the
  /// coarse CTs, where the network refines such.
  LossTerms loss(const StepInputs& inputs, const at::Tensor& latents,
                 const at::Tensor& coarse = {});

  FeatureGenerator& network() { return network_; }
  const FeatureGenerator& network() const { return network_; }

 private:
  struct Draws;
  struct Step;
  void draw_mask(const TrainingCase& item, const Box& box, RandomStream& stream,
                 Draws& draws) const;
  void draw_time(int64_t latent_voxels, RandomStream& stream, Draws& draws) const;
  bool weighs_labels() const;
  at::Tensor latent_weights(const StepInputs& inputs) const;
  void add_contrast(const Step& step, const StepInputs& inputs, LossTerms& terms);

  FeatureGenerator network_;
  at::Tensor label_weights_;  // buffer [K] float32
};
TORCH_MODULE(GeneratorTraining);

}  // namespace guidegen
