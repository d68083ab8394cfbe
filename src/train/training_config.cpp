#include "guidegen/train/training_config.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/core/resources.hpp"
#include "guidegen/stages/model_directory.hpp"

namespace guidegen {

namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void apply_override(Json& document, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw_usage("override '", text, "': expected key=value, for instance training.steps=100");
  }
  Json* place = &document;
  std::string path = text.substr(0, equals);
  for (;;) {
    const auto dot = path.find('.');
    const std::string key = path.substr(0, dot);
    if (key.empty() || !(place->is_object() || place->is_null())) {
      throw_usage("override '", text, "': '", text.substr(0, equals), "' is no key path");
    }
    place = &(*place)[key];
    if (dot == std::string::npos) break;
    path = path.substr(dot + 1);
  }
  const std::string value = text.substr(equals + 1);
  try {
    *place = parse_json(value, "override");
  } catch (const Error&) {
    *place = value;  // no JSON: a bare word
  }
}

}  // namespace

Optimizer::Options optimizer_from_json(JsonObject object, const Optimizer::Options& defaults) {
  Optimizer::Options o = defaults;
  o.learning_rate = object.number("learning_rate", 0, 1, o.learning_rate);
  o.final_share = object.number("final_share", 0, 1, o.final_share);
  o.warmup_steps = object.integer("warmup_steps", 0, 1000000, o.warmup_steps);
  o.weight_decay = object.number("weight_decay", 0, 1, o.weight_decay);
  o.clip_norm = object.number("clip_norm", 0, 1e6, o.clip_norm);
  o.ema_decay = object.number("ema_decay", 0, 1, o.ema_decay);
  object.finish();
  return o;
}

Json to_json(const Optimizer::Options& options) {
  return {{"learning_rate", options.learning_rate}, {"final_share", options.final_share},
          {"warmup_steps", options.warmup_steps},   {"weight_decay", options.weight_decay},
          {"clip_norm", options.clip_norm},         {"ema_decay", options.ema_decay}};
}

TrainingConfig TrainingConfig::from_json(JsonObject object) {
  TrainingConfig c;
  c.steps = object.integer("steps", 1, 1000000000, c.steps);
  c.batch = object.integer("batch", 1, 65536, c.batch);
  c.micro_batch = object.integer("micro_batch", 0, 65536, c.micro_batch);
  c.seed = object.unsigned_integer("seed", c.seed);
  c.validation_share = object.number("validation_share", 0, 0.9, c.validation_share);
  c.log_every = object.integer("log_every", 1, 1000000, c.log_every);
  c.checkpoint_every = object.integer("checkpoint_every", 1, 1000000000, c.checkpoint_every);
  c.keep_checkpoints = object.integer("keep_checkpoints", 1, 1000, c.keep_checkpoints);
  c.preview_every = object.integer("preview_every", 0, 1000000000, c.preview_every);
  c.validation_cases = object.integer("validation_cases", 0, 100000, c.validation_cases);
  if (object.has("activation_checkpointing")) {
    c.activation_checkpointing = object.integers("activation_checkpointing", 0, 6);
  }
  c.workers = object.integer("workers", 1, 256, c.workers);
  c.cache = object.text("cache", c.cache);
  c.precision = object.choice("precision", {"auto", "fp32", "bf16"}, c.precision);
  if (object.has("optimizer")) {
    c.optimizer = optimizer_from_json(object.object("optimizer"), c.optimizer);
  }
  object.finish();
  return c;
}

Json TrainingConfig::to_json() const {
  return {{"steps", steps},
          {"batch", batch},
          {"micro_batch", micro_batch},
          {"seed", seed},
          {"validation_share", validation_share},
          {"log_every", log_every},
          {"checkpoint_every", checkpoint_every},
          {"keep_checkpoints", keep_checkpoints},
          {"preview_every", preview_every},
          {"validation_cases", validation_cases},
          {"precision", precision},
          {"activation_checkpointing", activation_checkpointing},
          {"workers", workers},
          {"cache", cache},
          {"optimizer", guidegen::to_json(optimizer)}};
}

Json load_preset(const std::string& name_or_path, int stage,
                 const std::vector<std::string>& overrides) {
  return load_preset(name_or_path, part_name(stage), overrides);
}

Json load_preset(const std::string& name_or_path, const std::string& part,
                 const std::vector<std::string>& overrides) {
  Json document;
  if (ends_with(name_or_path, ".json")) {
    document = read_json_file(name_or_path);
  } else {
    const std::string name = concat(name_or_path, "/", part, ".json");
    document = parse_json(resource(name), name);
  }
  for (const auto& text : overrides) apply_override(document, text);
  return document;
}

}  // namespace guidegen
