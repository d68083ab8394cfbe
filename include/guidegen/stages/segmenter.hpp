#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "guidegen/nn/unet3d.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/volume/exposure.hpp"

namespace guidegen {

/// How training CTs are changed, so that a segmenter learns shapes and neighbors rather than the
/// exact HU of one source. Every figure is the end of a range; 0 switches the change off.
struct CtAugmentation {
  double scale = 0.08;     ///< HU times 1 +- this
  double shift_hu = 15;    ///< HU plus or minus this
  double field_hu = 12;    ///< deviation of a smooth field that is added
  double noise_hu = 25;    ///< highest deviation of white noise
  double smoothing = 0.8;  ///< highest share of the mean over 3^3 voxels in place of the voxel

  static CtAugmentation from_json(JsonObject object);
  Json to_json() const;
};

/// The segmenter, CT -> labels. JSON keys are the member names.
struct SegmenterConfig {
  std::vector<Exposure> exposures = default_exposures();
  std::vector<int64_t> channels{24, 48, 96};  ///< of the UNet at half resolution, finest first
  int64_t blocks = 1;                         ///< residual blocks a resolution, each way
  int64_t head_width = 16;                    ///< channels at full resolution
  int64_t head_blocks = 1;                    ///< residual convolutions there
  int64_t crop = 48;                          ///< training crop, voxels along each axis
  int64_t window = 96;                        ///< of segmenting, voxels along each axis
  double balanced_crops = 0.7;                ///< share of crops around a label drawn evenly
  double tumor_crops = 0.4;                   ///< of these, around a tumor where there is one
  double tumor_weight = 1;                    ///< of voxels of tumors in the cross-entropy
  double dice_weight = 1.0;                   ///< of the soft Dice loss beside the cross-entropy
  CtAugmentation augmentation;

  static SegmenterConfig from_json(JsonObject object);
  Json to_json() const;
};

/// A 3-D UNet that labels CTs, the independent judge of generated ones. It sees the whole
/// Hounsfield range as exposures, works at half resolution, and decides at full resolution.
class SegmenterImpl : public torch::nn::Module {
 public:
  /// `labels`: how many; `tumor`: which one of them is the tumor.
  SegmenterImpl(const SegmenterConfig& config, int64_t labels, int64_t tumor);

  /// hu [B,1,D,H,W] float32, even sizes; log_spacing [B,3], see
  /// log_spacing_of -> logits [B,K,D,H,W] float32.
  at::Tensor forward(const at::Tensor& hu, const at::Tensor& log_spacing);

  /// Draws crops: tensors hu [B,1,c,c,c] float32 (augmented), labels [B,c,c,c] int64 and
  /// log_spacing [B,3]. Cases smaller than a crop are padded with air. May run on any thread.
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const;
  /// Cross-entropy plus one minus the mean soft Dice (Milletari et al., "V-Net", 3DV 2016, without
  /// squares) of the labels that the batch holds, background left out.
  LossTerms loss(const StepInputs& inputs);

  /// Spacings that training cases have, x,y,z mm; kept with the weights.
  void set_trained_spacing(const Vec3& low, const Vec3& high);
  /// The spacing to work at for a CT of `spacing`: its own, along axes where that is within a
  /// quarter of what training cases had, the nearest of theirs along the others.
  Vec3 working_spacing(const Vec3& spacing) const;

  /// See UNet3dImpl.
  void checkpoint_activations(const std::vector<int64_t>& levels) {
    unet_->checkpoint_activations(levels);
  }
  const SegmenterConfig& config() const { return config_; }
  int64_t labels() const { return labels_; }

  static constexpr int64_t kFactor = 2;  ///< between full resolution and the UNet's

 private:
  SegmenterConfig config_;
  int64_t labels_, tumor_;
  torch::nn::Linear spacing_in_{nullptr}, spacing_out_{nullptr};
  UNet3d unet_{nullptr};
  torch::nn::Conv3d expand_{nullptr}, full_{nullptr}, output_{nullptr};
  std::vector<torch::nn::Conv3d> head_;
  at::Tensor trained_spacing_;  // buffer [2,3] float64, lowest and highest, x,y,z
};
TORCH_MODULE(Segmenter);

/// What the segmenter knows of the grid: log spacing relative to 3 mm, z, y, x. [1,3] float32.
at::Tensor log_spacing_of(const ImageGeometry& geometry);

}  // namespace guidegen
