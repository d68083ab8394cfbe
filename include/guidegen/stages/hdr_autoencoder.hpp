#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>

#include "guidegen/nn/blocks.hpp"
#include "guidegen/nn/vector_quantizer.hpp"
#include "guidegen/stages/adversary.hpp"
#include "guidegen/stages/perceptual_loss.hpp"
#include "guidegen/stages/tile_plan.hpp"
#include "guidegen/volume/exposure.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// What the autoencoder is trained to do. JSON keys are the member names.
struct AutoencoderLosses {
  std::vector<double> exposure_weights;  ///< of the L1 terms; one an exposure, or none: all 1
  double fused_weight = 1.0;             ///< of the fused HU
  double window_weight = 0.5;            ///< of the window drawn at random
  double gradient_weight = 0;            ///< of differences between neighbors, for sharp edges
  double kl_weight = 1e-5;               ///< of the bottleneck "kl"
  double organ_balance = 0;              ///< 0: voxels count the same; 1: organs do
  double tumor_weight = 1;               ///< of voxels of tumors, beside organ_balance
  double tissue_balance = 0;             ///< 0: voxels count the same; 1: classes of HU do
  AdversaryConfig adversary;
  PerceptualConfig perceptual;

  static AutoencoderLosses from_json(JsonObject object);
  Json to_json() const;
};

/// Stage II, the HDR autoencoder. JSON keys are the member names.
struct HdrAutoencoderConfig {
  std::vector<Exposure> exposures = default_exposures();
  int64_t latent_channels = 4;
  std::string bottleneck = "kl";     ///< or "vq"
  VectorQuantizerOptions quantizer;  ///< of "vq"
  int64_t half_width = 32;           ///< channels at half resolution
  int64_t quarter_width = 64;        ///< channels at quarter resolution
  int64_t blocks = 2;                ///< residual blocks a resolution, each way
  /// "voxel" or "volume", what norms look at (NormScope). Volumes of any size are then like the
  /// crops of training, and tiles need no statistics of the whole.
  std::string norm = "voxel";
  int64_t full_width = 16;     ///< channels at full resolution, in the decoder
  int64_t label_width = 8;     ///< width of the label embedding that guides the decoder
  bool mask_guidance = true;   ///< false: masks are not looked at
  bool fusion_prior = false;   ///< each label has a learned say in how exposures are fused
  double mask_dropout = 0.25;  ///< share of training samples that are decoded without a mask
  int64_t crop = 32;           ///< training crop, voxels along each axis
  double tumor_crops = 0;      ///< share of crops, of cases with tumors, that lie around one
  AutoencoderLosses losses;

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

  /// Diagonal Gaussian over latents, [B,Z,D/4,H/4,W/4] each. Of "vq" it has next to no variance;
  /// decode takes latents to the nearest codes.
  struct Posterior {
    at::Tensor mean, log_variance;
    at::Tensor sample(const at::Tensor& noise) const;  ///< noise: standard normals
  };
  struct Decoded {
    at::Tensor exposures;      ///< [B,E,D,H,W] in (-1,1)
    at::Tensor hu;             ///< [B,1,D,H,W] fused, HU
    at::Tensor codebook_loss;  ///< scalar of "vq", undefined for "kl"
  };
  /// hu [B,1,D,H,W] float32, sizes multiples of 4.
  Posterior encode(const at::Tensor& hu);
  /// latents [B,Z,D/4,H/4,W/4]; mask: labels [B,D,H,W] or undefined (no guidance).
  Decoded decode(const at::Tensor& latents, const at::Tensor& mask);

  /// Residual blocks of half resolution (level 0) and quarter resolution (1); see UNet3dImpl.
  void checkpoint_activations(const std::vector<int64_t>& levels);

  /// Latents as decode() sees them: the nearest codes of "vq", all of them for "kl".
  at::Tensor quantized(const at::Tensor& latents);

  /// What encode() and decode() do around the residual blocks, whose norms alone may span the
  /// volume. Everything here is local, so that stages/tiled_autoencoder.hpp can do it tile by tile.
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
  int64_t labels() const { return labels_; }
  /// The codes of "vq"; null for "kl".
  VectorQuantizer& quantizer() { return quantizer_; }
  /// The weight that reconstructions meet last.
  const at::Tensor& last_weight() const { return output_->weight; }

 private:
  HdrAutoencoderConfig config_;
  int64_t labels_;
  torch::nn::Conv3d encoder_in_{nullptr}, encoder_down_{nullptr}, encoder_out_{nullptr};
  std::vector<ResidualBlock3d> encoder_half_, encoder_quarter_, decoder_quarter_, decoder_half_;
  VectorQuantizer quantizer_{nullptr};
  torch::nn::Embedding label_embedding_{nullptr};  // row `labels` stands for "no mask"
  torch::nn::Conv3d fusion_prior_{nullptr};        // embedded labels -> a say in the fusion
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
/// mask's grid. A mask without data guides nothing, its grid alone counts. Beyond 128^3 voxels in
/// tiles (stages/tiled_autoencoder.hpp), within `memory` bytes.
Volume decode_ct(HdrAutoencoder& autoencoder, const at::Tensor& latents, const Volume& mask,
                 int64_t memory = kDefaultMemory);

}  // namespace guidegen
