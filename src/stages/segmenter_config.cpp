#include "guidegen/core/error.hpp"
#include "guidegen/stages/segmenter.hpp"

namespace guidegen {

CtAugmentation CtAugmentation::from_json(JsonObject object) {
  CtAugmentation c;
  c.scale = object.number("scale", 0, 0.9, c.scale);
  c.shift_hu = object.number("shift_hu", 0, 1000, c.shift_hu);
  c.field_hu = object.number("field_hu", 0, 1000, c.field_hu);
  c.noise_hu = object.number("noise_hu", 0, 1000, c.noise_hu);
  c.smoothing = object.number("smoothing", 0, 1, c.smoothing);
  object.finish();
  return c;
}

Json CtAugmentation::to_json() const {
  return {{"scale", scale},
          {"shift_hu", shift_hu},
          {"field_hu", field_hu},
          {"noise_hu", noise_hu},
          {"smoothing", smoothing}};
}

SegmenterConfig SegmenterConfig::from_json(JsonObject object) {
  SegmenterConfig c;
  if (object.has("exposures")) {
    c.exposures = exposures_from_json(object.raw("exposures"), object.source());
  }
  if (object.has("channels")) c.channels = object.integers("channels", 4, 4096);
  if (c.channels.empty() || c.channels.size() > 5) {
    object.fail("channels", concat("has ", c.channels.size(), " entries, expected 1 to 5"));
  }
  c.blocks = object.integer("blocks", 1, 8, c.blocks);
  c.head_width = object.integer("head_width", 1, 512, c.head_width);
  c.head_blocks = object.integer("head_blocks", 0, 8, c.head_blocks);
  c.crop = object.integer("crop", 16, 512, c.crop);
  c.window = object.integer("window", 16, 512, c.window);
  for (const auto& [key, value] : {std::pair("crop", c.crop), std::pair("window", c.window)}) {
    const int64_t step = int64_t{1} << c.channels.size();
    if (value % step != 0) object.fail(key, concat(value, " is no multiple of ", step));
  }
  c.balanced_crops = object.number("balanced_crops", 0, 1, c.balanced_crops);
  c.tumor_crops = object.number("tumor_crops", 0, 1, c.tumor_crops);
  c.tumor_weight = object.number("tumor_weight", 0, 1e3, c.tumor_weight);
  c.dice_weight = object.number("dice_weight", 0, 1e3, c.dice_weight);
  if (object.has("augmentation")) {
    c.augmentation = CtAugmentation::from_json(object.object("augmentation"));
  }
  object.finish();
  return c;
}

Json SegmenterConfig::to_json() const {
  return {{"exposures", guidegen::to_json(exposures)},
          {"channels", channels},
          {"blocks", blocks},
          {"head_width", head_width},
          {"head_blocks", head_blocks},
          {"crop", crop},
          {"window", window},
          {"balanced_crops", balanced_crops},
          {"tumor_crops", tumor_crops},
          {"tumor_weight", tumor_weight},
          {"dice_weight", dice_weight},
          {"augmentation", augmentation.to_json()}};
}

}  // namespace guidegen
