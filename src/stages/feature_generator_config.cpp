#include "guidegen/stages/feature_generator_config.hpp"

#include <algorithm>
#include <cmath>

#include "guidegen/core/error.hpp"

namespace guidegen {

namespace {

constexpr double kMostWeight = 1e3;

void read_crop(JsonObject& object, FeatureGeneratorConfig& c) {
  if (!object.has("crop")) return;
  const auto crop = object.integers("crop", 16, 1024);
  if (crop.size() != 3) object.fail("crop", "expected three numbers of voxels, x, y and z");
  for (const auto extent : crop) {
    if (extent % 4 != 0) object.fail("crop", concat(extent, " is no multiple of 4"));
  }
  c.crop = {crop[0], crop[1], crop[2]};
}

void read_sampling(JsonObject& object, FeatureGeneratorConfig& c) {
  c.sampling_steps = object.integer("sampling_steps", 1, 100000, c.sampling_steps);
  auto solvers = solvers_of(c.objective);
  solvers.push_back("auto");
  c.solver = object.choice("solver", solvers, c.solver);
  c.text_guidance = object.number("text_guidance", 0, 100, c.text_guidance);
  c.mask_guidance = object.number("mask_guidance", 0, 100, c.mask_guidance);
}

}  // namespace

std::vector<std::string> solvers_of(const std::string& objective) {
  if (objective == "flow") return {"euler", "heun"};
  return {"dpm++2m", "ddim"};
}

GeneratorLosses GeneratorLosses::from_json(JsonObject object) {
  GeneratorLosses c;
  c.min_snr = object.number("min_snr", 0, 1e6, c.min_snr);
  c.organ_balance = object.number("organ_balance", 0, 1, c.organ_balance);
  c.tumor_weight = object.number("tumor_weight", 0, kMostWeight, c.tumor_weight);
  c.tumor_contrast = object.number("tumor_contrast", 0, kMostWeight, c.tumor_contrast);
  object.finish();
  return c;
}

Json GeneratorLosses::to_json() const {
  return {{"min_snr", min_snr},
          {"organ_balance", organ_balance},
          {"tumor_weight", tumor_weight},
          {"tumor_contrast", tumor_contrast}};
}

FeatureGeneratorConfig FeatureGeneratorConfig::from_json(JsonObject object) {
  FeatureGeneratorConfig c;
  if (object.has("unet")) c.unet = UNet3dConfig::from_json(object.object("unet"));
  c.label_width = object.integer("label_width", 1, 256, c.label_width);
  c.mask_width = object.integer("mask_width", 4, 1024, c.mask_width);
  c.text_width = object.integer("text_width", 4, 4096, c.text_width);
  c.embedding_width = object.integer("embedding_width", 4, 4096, c.embedding_width);
  c.space = object.choice("space", {"latent", "pixels"}, c.space);
  c.low_resolution = object.integer("low_resolution", 0, 16, c.low_resolution);
  if (c.low_resolution == 1) object.fail("low_resolution", "1, expected 0, or a factor of 2 to 16");
  c.mask_condition = object.choice("mask_condition", {"both", "encoded", "concatenated", "none"},
                                   c.mask_condition);
  c.text_condition =
      object.choice("text_condition", {"tokens", "pooled", "none"}, c.text_condition);
  c.objective = object.choice("objective", {"flow", "epsilon", "v"}, c.objective);
  c.schedule = object.choice("schedule", {"cosine", "linear"}, c.schedule);
  c.timesteps = object.integer("timesteps", 2, 100000, c.timesteps);
  c.time_shift = object.number("time_shift", 1, 100, c.time_shift);
  c.shift_voxels = object.integer("shift_voxels", 0, 1LL << 40, c.shift_voxels);
  read_crop(object, c);
  c.prompt_dropout = object.number("prompt_dropout", 0, 1, c.prompt_dropout);
  c.field_dropout = object.number("field_dropout", 0, 1, c.field_dropout);
  c.mask_dropout = object.number("mask_dropout", 0, 1, c.mask_dropout);
  if (object.has("losses")) c.losses = GeneratorLosses::from_json(object.object("losses"));
  read_sampling(object, c);
  c.sample_posterior = object.boolean("sample_posterior", c.sample_posterior);
  object.finish();
  return c;
}

Json FeatureGeneratorConfig::to_json() const {
  Json json = {{"unet", unet.to_json()},
               {"label_width", label_width},
               {"mask_width", mask_width},
               {"text_width", text_width},
               {"embedding_width", embedding_width},
               {"space", space},
               {"low_resolution", low_resolution},
               {"mask_condition", mask_condition},
               {"text_condition", text_condition},
               {"objective", objective},
               {"schedule", schedule},
               {"timesteps", timesteps},
               {"time_shift", time_shift},
               {"shift_voxels", shift_voxels},
               {"prompt_dropout", prompt_dropout},
               {"field_dropout", field_dropout},
               {"mask_dropout", mask_dropout},
               {"losses", losses.to_json()},
               {"sampling_steps", sampling_steps},
               {"solver", solver},
               {"text_guidance", text_guidance},
               {"mask_guidance", mask_guidance},
               {"sample_posterior", sample_posterior}};
  if (crop) json["crop"] = *crop;
  return json;
}

double FeatureGeneratorConfig::size_shift(int64_t latent_voxels) const {
  if (shift_voxels == 0) return time_shift;
  const double ratio = static_cast<double>(latent_voxels) / static_cast<double>(shift_voxels);
  return std::max(1.0, time_shift * std::cbrt(ratio));
}

}  // namespace guidegen
