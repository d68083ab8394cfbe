#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>

#include "guidegen/nn/blocks.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/volume/exposure.hpp"

namespace guidegen {

/// Stage II, the HDR autoencoder. JSON keys are the member names.
struct HdrAutoencoderConfig {
  std::vector<Exposure> exposures = default_exposures();
  int64_t latent_channels = 4;
  int64_t half_width = 32;     ///< channels at half resolution
  int64_t quarter_width = 64;  ///< channels at quarter resolution
  int64_t blocks = 2;          ///< residual blocks a resolution, each way
  int64_t full_width = 16;     ///< channels at full resolution, in the decoder
  int64_t label_width = 8;     ///< width of the label embedding that guides the decoder
  double kl_weight = 1e-5;
  double window_weight = 0.5;  ///< of the random-window term
  double fused_weight = 1.0;   ///< of the fused-HU term
  double mask_dropout = 0.25;  ///< share of training samples that are decoded without a mask
  int64_t crop = 32;           ///< training crop, voxels along each axis

  static HdrAutoencoderConfig from_json(JsonObject object);
  Json to_json() const;
};

/// CT <-> latent, 4x smaller along each axis. The encoder sees every exposure; the decoder, guided
/// by the mask where there is one, emits every exposure and the weights by which they are fused to
/// HU.
class HdrAutoencoderImpl : public torch::nn::Module {
 public:
  HdrAutoencoderImpl(const HdrAutoencoderConfig& config, int64_t labels);

  static constexpr int64_t kDownsampling = 4;

  /// Diagonal Gaussian over latents, [B,Z,D/4,H/4,W/4] each.
  struct Posterior {
    at::Tensor mean, log_variance;
    at::Tensor sample(const at::Tensor& noise) const;  ///< noise: standard normals
  };
  struct Decoded {
    at::Tensor exposures;  ///< [B,E,D,H,W] in (-1,1)
    at::Tensor hu;         ///< [B,1,D,H,W] fused, HU
  };
  /// hu [B,1,D,H,W] float32, sizes multiples of 4.
  Posterior encode(const at::Tensor& hu);
  /// z [B,Z,D/4,H/4,W/4]; mask: labels [B,D,H,W] or undefined (no guidance).
  Decoded decode(const at::Tensor& z, const at::Tensor& mask);

  /// Draws crops: tensors hu [B,1,c,c,c] float32 HU, guide [B,c,c,c] int32 labels, noise of the
  /// latent, window_center and window_width [B,1,1,1,1] HU. May run on any thread.
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const;
  LossTerms loss(const StepInputs& inputs);

  /// Residual blocks of half resolution (level 0) and quarter resolution (1); see UNet3dImpl.
  void checkpoint_activations(const std::vector<int64_t>& levels);

  /// What encode() and decode() do around the residual blocks, whose norms alone span the volume.
  /// Everything here is local, so that stages/tiled_autoencoder.hpp can do it tile by tile.
  /// HU [B,1,D,H,W] -> half resolution [B,C,D/2,H/2,W/2]; a voxel sees its neighbors (reach 1).
  at::Tensor enter_encoder(const at::Tensor& hu);
  at::Tensor descend(const at::Tensor& half);  ///< -> quarter resolution, reach 1 half voxel
  Posterior leave_encoder(const at::Tensor& quarter);  ///< voxel by voxel
  at::Tensor enter_decoder(const at::Tensor& z);       ///< -> quarter resolution, reach 1
  at::Tensor ascend(const at::Tensor& quarter);        ///< -> half resolution, voxel by voxel
  Decoded leave_decoder(const at::Tensor& half, const at::Tensor& labels);  ///< reach 1 full voxel
  /// mask [B,D,H,W], or undefined: no guidance -> embedded labels [B,L,D,H,W].
  at::Tensor embed_mask(const at::Tensor& mask, at::IntArrayRef dhw, int64_t batch);
  enum class Level { kHalf, kQuarter };
  /// Modulates the input of block `index` of the decoder by the mean of embedded labels over each
  /// of the level's voxels.
  at::Tensor guide(Level level, size_t index, const at::Tensor& x, const at::Tensor& labels);
  const std::vector<ResidualBlock3d>& encoder_blocks(Level level) const {
    return level == Level::kHalf ? encoder_half_ : encoder_quarter_;
  }
  const std::vector<ResidualBlock3d>& decoder_blocks(Level level) const {
    return level == Level::kHalf ? decoder_half_ : decoder_quarter_;
  }

  const HdrAutoencoderConfig& config() const { return config_; }

 private:
  HdrAutoencoderConfig config_;
  int64_t labels_;
  torch::nn::Conv3d encoder_in_{nullptr}, encoder_down_{nullptr}, encoder_out_{nullptr};
  std::vector<ResidualBlock3d> encoder_half_, encoder_quarter_, decoder_quarter_, decoder_half_;
  torch::nn::Embedding label_embedding_{nullptr};  // row `labels` stands for "no mask"
  torch::nn::Conv3d decoder_in_{nullptr}, decoder_up_{nullptr}, expand_{nullptr}, full_{nullptr},
      output_{nullptr};
  std::vector<torch::nn::Conv3d> quarter_modulation_, half_modulation_;
};
TORCH_MODULE(HdrAutoencoder);

/// Any size: pads to multiples of 4 with air, encodes to the posterior mean, decodes and crops.
/// `mask` may be null.
Volume reconstruct_ct(HdrAutoencoder& autoencoder, const Volume& ct, const Volume* mask);

/// The posterior over the latents of a CT of any size, [1,Z,ceil(D/4),ceil(H/4),ceil(W/4)], on the
/// CPU. Large ones are taken in tiles, as in decode_ct().
HdrAutoencoderImpl::Posterior encode_ct(HdrAutoencoder& autoencoder, const Volume& ct);

/// Decodes latents [1,Z,ceil(D/4),ceil(H/4),ceil(W/4)] guided by `mask` [1,D,H,W]: CT in HU on the
/// mask's grid. Beyond 128^3 voxels in tiles (stages/tiled_autoencoder.hpp), within 8 GiB.
Volume decode_ct(HdrAutoencoder& autoencoder, const at::Tensor& latents, const Volume& mask);

}  // namespace guidegen
