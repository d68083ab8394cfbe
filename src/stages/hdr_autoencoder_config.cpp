#include "guidegen/core/error.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"

namespace guidegen {

namespace {

constexpr double kMostWeight = 1e3;

VectorQuantizerOptions quantizer_from_json(JsonObject object) {
  VectorQuantizerOptions c;
  c.codes = object.integer("codes", 2, 1 << 20, c.codes);
  c.update = object.choice("update", {"ema", "gradient"}, c.update);
  c.decay = object.number("decay", 0, 1, c.decay);
  c.commitment = object.number("commitment", 0, kMostWeight, c.commitment);
  c.dead_after = object.integer("dead_after", 1, 1LL << 40, c.dead_after);
  object.finish();
  return c;
}

Json quantizer_to_json(const VectorQuantizerOptions& c) {
  return {{"codes", c.codes},
          {"update", c.update},
          {"decay", c.decay},
          {"commitment", c.commitment},
          {"dead_after", c.dead_after}};
}

}  // namespace

AutoencoderLosses AutoencoderLosses::from_json(JsonObject object) {
  AutoencoderLosses c;
  if (object.has("exposure_weights")) {
    c.exposure_weights = object.numbers("exposure_weights", 0, kMostWeight);
  }
  c.fused_weight = object.number("fused_weight", 0, kMostWeight, c.fused_weight);
  c.window_weight = object.number("window_weight", 0, kMostWeight, c.window_weight);
  c.gradient_weight = object.number("gradient_weight", 0, kMostWeight, c.gradient_weight);
  c.kl_weight = object.number("kl_weight", 0, kMostWeight, c.kl_weight);
  c.organ_balance = object.number("organ_balance", 0, 1, c.organ_balance);
  c.tumor_weight = object.number("tumor_weight", 0, kMostWeight, c.tumor_weight);
  c.tissue_balance = object.number("tissue_balance", 0, 1, c.tissue_balance);
  if (object.has("adversary")) c.adversary = AdversaryConfig::from_json(object.object("adversary"));
  if (object.has("perceptual")) {
    c.perceptual = PerceptualConfig::from_json(object.object("perceptual"));
  }
  object.finish();
  return c;
}

Json AutoencoderLosses::to_json() const {
  return {{"exposure_weights", exposure_weights},
          {"fused_weight", fused_weight},
          {"window_weight", window_weight},
          {"gradient_weight", gradient_weight},
          {"kl_weight", kl_weight},
          {"organ_balance", organ_balance},
          {"tumor_weight", tumor_weight},
          {"tissue_balance", tissue_balance},
          {"adversary", adversary.to_json()},
          {"perceptual", perceptual.to_json()}};
}

HdrAutoencoderConfig HdrAutoencoderConfig::from_json(JsonObject object) {
  HdrAutoencoderConfig c;
  if (object.has("exposures")) {
    c.exposures = exposures_from_json(object.raw("exposures"), object.source());
  }
  c.latent_channels = object.integer("latent_channels", 1, 64, c.latent_channels);
  c.bottleneck = object.choice("bottleneck", {"kl", "vq"}, c.bottleneck);
  if (object.has("quantizer")) c.quantizer = quantizer_from_json(object.object("quantizer"));
  c.half_width = object.integer("half_width", 4, 1024, c.half_width);
  c.quarter_width = object.integer("quarter_width", 4, 1024, c.quarter_width);
  c.blocks = object.integer("blocks", 1, 8, c.blocks);
  c.norm = object.choice("norm", {"voxel", "volume"}, c.norm);
  c.full_width = object.integer("full_width", 2, 512, c.full_width);
  c.label_width = object.integer("label_width", 1, 256, c.label_width);
  c.mask_guidance = object.boolean("mask_guidance", c.mask_guidance);
  c.fusion_prior = object.boolean("fusion_prior", c.fusion_prior);
  c.mask_dropout = object.number("mask_dropout", 0, 1, c.mask_dropout);
  c.crop = object.integer("crop", 8, 512, c.crop);
  if (c.crop % 4 != 0) object.fail("crop", concat(c.crop, " is no multiple of 4"));
  c.tumor_crops = object.number("tumor_crops", 0, 1, c.tumor_crops);
  if (object.has("losses")) c.losses = AutoencoderLosses::from_json(object.object("losses"));
  const auto weights = c.losses.exposure_weights.size();
  if (weights != 0 && weights != c.exposures.size()) {
    object.fail("losses.exposure_weights", concat(weights, " numbers, expected none or ",
                                                  c.exposures.size(), ", one an exposure"));
  }
  object.finish();
  return c;
}

Json HdrAutoencoderConfig::to_json() const {
  return {{"exposures", guidegen::to_json(exposures)},
          {"latent_channels", latent_channels},
          {"bottleneck", bottleneck},
          {"quantizer", quantizer_to_json(quantizer)},
          {"half_width", half_width},
          {"quarter_width", quarter_width},
          {"blocks", blocks},
          {"norm", norm},
          {"full_width", full_width},
          {"label_width", label_width},
          {"mask_guidance", mask_guidance},
          {"fusion_prior", fusion_prior},
          {"mask_dropout", mask_dropout},
          {"crop", crop},
          {"tumor_crops", tumor_crops},
          {"losses", losses.to_json()}};
}

}  // namespace guidegen
