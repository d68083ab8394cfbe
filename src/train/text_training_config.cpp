#include "guidegen/train/text_training.hpp"
#include "guidegen/train/training_config.hpp"

namespace guidegen {

TextTrainingConfig TextTrainingConfig::from_json(JsonObject object) {
  constexpr int64_t kMany = 1'000'000'000;
  TextTrainingConfig c;
  c.steps = object.integer("steps", 1, kMany, c.steps);
  c.batch = object.integer("batch", 4, 65536, c.batch);
  c.seed = object.unsigned_integer("seed", c.seed);
  c.vocabulary = object.integer("vocabulary", 200, 100'000, c.vocabulary);
  c.vocabulary_texts = object.integer("vocabulary_texts", 1, 10'000'000, c.vocabulary_texts);
  c.distilled_texts = object.integer("distilled_texts", 1, 10'000'000, c.distilled_texts);
  c.test_texts = object.integer("test_texts", 1, 1'000'000, c.test_texts);
  c.cosine_weight = object.number("cosine_weight", 0, 1000, c.cosine_weight);
  c.contrast_weight = object.number("contrast_weight", 0, 1000, c.contrast_weight);
  c.contrast_temperature = object.number("contrast_temperature", 0.001, 10, c.contrast_temperature);
  c.field_weight = object.number("field_weight", 0, 1000, c.field_weight);
  c.log_every = object.integer("log_every", 1, kMany, c.log_every);
  c.checkpoint_every = object.integer("checkpoint_every", 1, kMany, c.checkpoint_every);
  c.keep_checkpoints = object.integer("keep_checkpoints", 1, 1000, c.keep_checkpoints);
  if (object.has("optimizer")) {
    c.optimizer = optimizer_from_json(object.object("optimizer"), c.optimizer);
  }
  object.finish();
  return c;
}

Json TextTrainingConfig::to_json() const {
  return {{"steps", steps},
          {"batch", batch},
          {"seed", seed},
          {"vocabulary", vocabulary},
          {"vocabulary_texts", vocabulary_texts},
          {"distilled_texts", distilled_texts},
          {"test_texts", test_texts},
          {"cosine_weight", cosine_weight},
          {"contrast_weight", contrast_weight},
          {"contrast_temperature", contrast_temperature},
          {"field_weight", field_weight},
          {"log_every", log_every},
          {"checkpoint_every", checkpoint_every},
          {"keep_checkpoints", keep_checkpoints},
          {"optimizer", guidegen::to_json(optimizer)}};
}

}  // namespace guidegen
