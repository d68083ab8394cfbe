#include <algorithm>

#include "guidegen/core/error.hpp"
#include "guidegen/generate/case_sampler.hpp"
#include "guidegen/stages/tiled_autoencoder.hpp"

namespace guidegen {

ModelSampler::ModelSampler(Model model, const std::string& source, MaskSampling mask_options,
                           CtSampling ct_options)
    : model_(std::move(model)), mask_options_(mask_options), ct_options_(ct_options) {
  for (const int stage : {1, 2, 3}) {
    if (model_.has_stage(stage) || (stage == 2 && model_.makes_ct())) continue;
    throw_usage(source, ": stage ", stage, " is missing, expected a model with stages 1, 2 and 3");
  }
  model_.check_sampling(mask_options_, ct_options_);
}

ImageGeometry ModelSampler::geometry_for(const Prompt& prompt) const {
  return model_.geometry_for(prompt);
}

std::map<std::string, std::string> ModelSampler::weight_hashes() const {
  return model_.weight_hashes();
}

Json ModelSampler::settings() const {
  const auto optional = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json();
  };
  return {{"steps", mask_options_.steps},
          {"guidance", optional(mask_options_.guidance)},
          {"temperature", optional(mask_options_.temperature)},
          {"ct_steps", ct_options_.steps},
          {"ct_solver", ct_options_.solver},
          {"ct_guidance", optional(ct_options_.text_guidance)},
          {"mask_guidance", optional(ct_options_.mask_guidance)},
          // Another number of tiles rounds elsewhere.
          {"memory", ct_options_.memory}};
}

int64_t ModelSampler::memory_estimate(const ImageGeometry& geometry) const {
  // A mask, per voxel in float32: logits of K labels with and without guidance and one copy between
  // layers, and about 100 further channels of features at full resolution or their equal below it.
  const int64_t channels = 3 * static_cast<int64_t>(vocabulary().size()) + 100;
  const int64_t mask = kProgramBytes + model_.mask_grid(geometry).voxels() * channels *
                                           static_cast<int64_t>(sizeof(float));
  if (!model_.has_stage(2)) return mask;  // pixel space: reordering voxels takes next to nothing
  const int64_t memory = decodes_in_tiles(geometry) ? ct_options_.memory : kDefaultMemory;
  const int64_t ct = model_.plan_ct(geometry, TiledWork::kDecode, memory).bytes;
  return std::max(mask, ct);
}

Volume ModelSampler::sample_mask(const Prompt& prompt, const std::string& case_id, uint64_t seed,
                                 const StepCallback& on_step) {
  return model_.sample_mask(prompt, case_id, seed, mask_options_, on_step);
}

Volume ModelSampler::sample_ct(const Prompt& prompt, const Volume& mask, const std::string& case_id,
                               uint64_t seed, const StepCallback& on_step) {
  return model_.sample_ct(prompt, mask, case_id, seed, ct_options_, on_step);
}

}  // namespace guidegen
