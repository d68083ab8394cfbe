#pragma once

#include <array>
#include <optional>
#include <string>

#include "guidegen/nn/unet3d.hpp"

namespace guidegen {

/// What the loss of stage III weighs. JSON keys are the member names.
struct GeneratorLosses {
  /// Least SNR that weighs in full, of "epsilon" and "v" (min-SNR-gamma: Hang et al., ICCV 2023);
  /// 0: all noise levels weigh the same.
  double min_snr = 5.0;
  double organ_balance = 0;   ///< 0: voxels count the same; 1: labels do, however rare
  double tumor_weight = 1.0;  ///< of latent voxels that hold a tumor, beside organ_balance
  /// Of the contrast between the mask with and without its tumors: a prediction for the mask with
  /// them must fit the tumor better than one for the mask without, and both must agree elsewhere.
  /// Costs a second network call on cases with tumors; 0: off.
  double tumor_contrast = 0;

  static GeneratorLosses from_json(JsonObject object);
  Json to_json() const;
};

/// Stage III, the feature generator. JSON keys are the member names.
struct FeatureGeneratorConfig {
  UNet3dConfig unet;
  int64_t label_width = 8;  ///< width of the label embedding
  int64_t mask_width = 48;  ///< channels of the mask encoder's output
  int64_t text_width = 64;
  int64_t embedding_width = 128;
  /// "latent": the latents of an autoencoder; "pixels": the CT itself (stages/pixel_space.hpp).
  std::string space = "latent";
  /// Given a CT of voxels so many times as coarse along each axis, adds what it lacks
  /// (super-resolution); 0: makes CTs from nothing.
  int64_t low_resolution = 0;
  /// How the mask enters: "encoded" by an encoder of its own, "concatenated" as the mean label
  /// embedding of each latent voxel (in pixel space the embeddings of all its voxels), "both", or
  /// "none".
  std::string mask_condition = "both";
  /// How the prompt enters: "tokens" by cross-attention, "pooled" as one vector alone, or "none".
  std::string text_condition = "tokens";
  std::string objective = "flow";   ///< "flow", "epsilon" or "v"
  std::string schedule = "cosine";  ///< of "epsilon" and "v"
  int64_t timesteps = 1000;         ///< of "epsilon" and "v"
  double time_shift = 1.0;          ///< of "flow": bends times towards noise, see size_shift()
  int64_t shift_voxels = 0;         ///< latent voxels that time_shift is meant for; 0: any number
  /// Voxels (x, y, z) of the training crops, multiples of 4; absent: whole volumes, of one size.
  std::optional<std::array<int64_t, 3>> crop;
  double prompt_dropout = 0.1;
  double field_dropout = 0.15;
  double mask_dropout = 0.1;  ///< share of training cases without a mask, for mask guidance
  GeneratorLosses losses;
  int64_t sampling_steps = 20;
  /// "euler" or "heun" of "flow", "ddim" or "dpm++2m" of the others; "auto": euler or dpm++2m.
  std::string solver = "auto";
  double text_guidance = 1.0;
  double mask_guidance = 1.0;
  /// Train on a fresh sample of each posterior in every step, instead of its mean.
  bool sample_posterior = false;

  static FeatureGeneratorConfig from_json(JsonObject object);
  Json to_json() const;

  /// Factor of the time shift for volumes of so many latent voxels: time_shift times the cube root
  /// of voxels / shift_voxels, at least 1. Larger volumes repeat more of what each voxel says, so
  /// the same noise hides less of them (Esser et al., ICML 2024, for images; the cube root of the
  /// ratio for volumes as in MONAI's RFlowScheduler).
  double size_shift(int64_t latent_voxels) const;
};

/// Solvers that go with an objective; the first is what "auto" means.
std::vector<std::string> solvers_of(const std::string& objective);

}  // namespace guidegen
