#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/stages/latent_file.hpp"
#include "guidegen/stages/mask_request.hpp"
#include "guidegen/stages/tile_plan.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// Options of sampling a CT; 0 or absent means what the model was tuned for.
struct CtSampling {
  int64_t steps = 0;
  std::string solver = "auto";  ///< see FeatureGeneratorConfig
  std::optional<double> text_guidance;
  std::optional<double> mask_guidance;
  int64_t memory = kDefaultMemory;  ///< bytes that decoding may take
  std::optional<Volume> coarse;     ///< CT to refine, by models of low_resolution; HU [1,D,H,W]
};

/// Whether network calls on such a grid are worth a CUDA graph. Small volumes leave a GPU waiting
/// for the launches of many short kernels, which a graph saves. With larger ones the kernels take
/// longer than their launches, and what a graph allocates stays taken.
bool worth_graphs(const at::Device& device, const ImageGeometry& geometry);

using StepCallback = std::function<void(int64_t done, int64_t total)>;

/// A model directory in memory, ready to sample: `model.json` (what it is, vocabulary, geometry,
/// stage configs, provenance) and one .safetensors for each stage. Stages may be missing; asking
/// for one that is throws Error(kUsage) naming the directory.
class Model {
 public:
  /// Throws Error(kUsage) for a wrong directory or model.json, Error(kFailure) for bad weights.
  static Model load(const std::filesystem::path& directory, const at::Device& device = at::kCPU);
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  const Vocabulary& vocabulary() const;
  /// The grid the model was trained on; prompts without spacing or size get this one.
  const ImageGeometry& geometry() const;
  /// Grid that `prompt` asks for. Throws Error(kUsage) for a size that the networks can't take.
  ImageGeometry geometry_for(const Prompt& prompt) const;
  const Json& description() const;  ///< model.json
  /// SHA-256 of each weight file, by file name.
  const std::map<std::string, std::string>& weight_hashes() const;
  bool has_stage(int stage) const;  ///< 1, 2, 3
  /// Whether sample_ct() can be called: stages 2 and 3 are there, or 3 alone in pixel space.
  bool makes_ct() const;

  /// Prompt -> mask, labels [1,D,H,W]. A function of (weights, prompt, case_id, seed, options)
  /// alone. Where the prompt asks for a spacing finer than the model's by more than a factor 1.25,
  /// the mask is sampled at the model's spacing over the field of view asked for (rounded up to
  /// whole voxels) and refined (volume/refine_labels.hpp).
  Volume sample_mask(const Prompt& prompt, const std::string& case_id, uint64_t seed,
                     const MaskSampling& options = {}, const StepCallback& on_step = {}) const;
  /// The same around labels that are kept, on their grid `geometry` (RAS axes); spacing and size of
  /// the prompt are not read. Tumors among the kept labels count as ones that the prompt asks for.
  Volume complete_mask(const Prompt& prompt, const GivenLabels& given,
                       const ImageGeometry& geometry, const std::string& case_id, uint64_t seed,
                       const MaskSampling& options = {}, const StepCallback& on_step = {}) const;
  /// Mask (ids of vocabulary()) and prompt -> CT, float32 HU [1,D,H,W], rounded to integers. A mask
  /// without data: no mask, the CT lies on its grid. Volumes clearly larger than those of training
  /// are drawn in overlapping tiles, and all are decoded within options.memory.
  Volume sample_ct(const Prompt& prompt, const Volume& mask, const std::string& case_id,
                   uint64_t seed, const CtSampling& options = {},
                   const StepCallback& on_step = {}) const;
  /// The same patient by two masks of one grid, each with its prompt: the CTs differ where the
  /// labels do and around.
  std::pair<Volume, Volume> sample_ct_pair(const Prompt& prompt, const Volume& mask,
                                           const Prompt& counterpart_prompt,
                                           const Volume& counterpart, const std::string& case_id,
                                           uint64_t seed, const CtSampling& options = {},
                                           const StepCallback& on_step = {}) const;

  /// Throws Error(kUsage) where cases of prompt and mask alone can't be sampled so: more steps than
  /// the schedule has, a solver of another objective, a model that needs a coarse CT.
  void check_sampling(const MaskSampling& mask, const CtSampling& ct) const;

  /// The grid that a mask wanted on `wanted` is sampled on, before it is refined.
  ImageGeometry mask_grid(const ImageGeometry& wanted) const;

  /// How stage II would go about a CT of this grid within `memory` bytes, and what it would take.
  /// Throws Error(kUsage) where that is too little.
  TilePlan plan_ct(const ImageGeometry& grid, TiledWork work, int64_t memory) const;
  /// CT, any size -> latents, in the tiles of plan_ct().
  CtLatents encode(const Volume& ct, const TilePlan& plan, const TileCallback& on_tile = {}) const;
  /// Throws Error(kUsage) naming `source` unless this model's autoencoder made the latents.
  void check_origin(const CtLatents& latents, const std::string& source) const;
  /// The mean of latents -> CT, float32 HU [1,D,H,W]. `mask`, on the grid of the CT that they were
  /// made of, guides the decoder and may be null.
  Volume decode(const CtLatents& latents, const Volume* mask, const TilePlan& plan,
                const TileCallback& on_tile = {}) const;

 private:
  struct Parts;
  explicit Model(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace guidegen
