#pragma once

#include "guidegen/stages/feature_generator.hpp"
#include "stages/tile_box.hpp"

namespace guidegen {

/// Draws the latents of one request: one noise for the whole volume, then the solver, whose every
/// prediction is the network's. A volume larger than a tile is predicted in overlapping tiles whose
/// predictions are averaged with weights that fade towards tile borders (MultiDiffusion: Bar-Tal et
/// al., ICML 2023), so all tiles walk one path and no seam is left to blend in the end.
class LatentSampler {
 public:
  LatentSampler(FeatureGeneratorImpl& generator, const LatentRequest& request);

  /// Latents [1,Z,D,H,W] on the scale of the autoencoder; [2,…] of a pair. `on_step` hears of each
  /// step.
  at::Tensor run(const std::function<void(int64_t, int64_t)>& on_step);

 private:
  // A part of the volume that the network sees at once, and what it is told of it.
  struct Tile {
    Box box;                  // latent voxels
    at::Tensor image;         // encode_image() of it; may be undefined
    at::Tensor without_mask;  // the same of no mask, for mask guidance
    at::Tensor place;
  };

  // One patient as told by one mask and prompt.
  struct Scene {
    at::Tensor labels;  // [1,D,H,W]; undefined: no mask
    PromptFeatures text;
    std::vector<Tile> tiles;
  };

  PromptFeatures encode(const std::optional<Prompt>& prompt) const;
  Scene make_scene(const at::Tensor& labels, const Prompt& prompt);
  Tile make_tile(const Box& box, const at::Tensor& labels);
  at::Tensor mask_of(const Box& box, const at::Tensor& labels) const;
  void fade_tiles();
  at::Tensor predict(const at::Tensor& z, double time);
  at::Tensor predict_scene(const at::Tensor& z, const at::Tensor& time, const Scene& scene);
  at::Tensor predict_tile(const at::Tensor& z, const at::Tensor& time, const Tile& tile,
                          const PromptFeatures& text);
  at::Tensor walk(const at::Tensor& noise, const std::function<void(int64_t, int64_t)>& on_step);

  FeatureGeneratorImpl& generator_;
  const LatentRequest& request_;
  at::Device device_;
  Extent size_{};       // latent voxels of the volume
  Extent tile_size_{};  // and of a tile
  std::optional<BodyPosition> position_;
  PromptFeatures without_;     // of no prompt, for guidance
  at::Tensor unmasked_;        // encode_image() of nothing, the same in every tile
  std::vector<Scene> scenes_;  // one, or two of a pair
  at::Tensor window_;          // [tile], weights of a tile's voxels; undefined: one tile
  at::Tensor coverage_;        // [D,H,W], their sum
  at::Tensor coarse_;          // normalised; of low_resolution alone
  at::Tensor differs_;         // [1,1,D,H,W] bool, where the second of a pair may differ
};

/// The solver that "auto", or a name, means for a model. Throws Error(kUsage) for one that does not
/// solve the model's objective.
std::string solver_for(const std::string& wanted, const FeatureGeneratorConfig& config);

/// Boxes of `tile` voxels, evenly spread, that cover `size` and overlap by a quarter or more.
std::vector<Box> overlapping_tiles(const Extent& size, const Extent& tile);

}  // namespace guidegen
