#include "guidegen/stages/synthesizer.hpp"

namespace guidegen {

SynthesizerConfig SynthesizerConfig::from_json(JsonObject object) {
  SynthesizerConfig c;
  if (object.has("unet")) c.unet = UNet3dConfig::from_json(object.object("unet"));
  c.label_width = object.integer("label_width", 1, 256, c.label_width);
  c.head_width = object.integer("head_width", 1, 512, c.head_width);
  c.head_blocks = object.integer("head_blocks", 0, 8, c.head_blocks);
  c.class_weight_exponent = object.number("class_weight_exponent", 0, 1, c.class_weight_exponent);
  c.text_width = object.integer("text_width", 4, 4096, c.text_width);
  c.embedding_width = object.integer("embedding_width", 4, 4096, c.embedding_width);
  c.text_encoder_width = object.integer("text_encoder_width", 0, 8192, c.text_encoder_width);
  c.sentence_width = object.integer("sentence_width", 0, 8192, c.sentence_width);
  c.read_text = object.boolean("read_text", c.read_text);
  c.distillation_weight = object.number("distillation_weight", 0, 1e3, c.distillation_weight);
  c.contrast_weight = object.number("contrast_weight", 0, 1e3, c.contrast_weight);
  c.contrast_temperature = object.number("contrast_temperature", 1e-3, 10, c.contrast_temperature);
  c.text_dropout = object.number("text_dropout", 0, 1, c.text_dropout);
  c.schedule = object.choice("schedule", {"cosine", "linear"}, c.schedule);
  c.timesteps = object.integer("timesteps", 2, 100000, c.timesteps);
  c.kl_weight = object.number("kl_weight", 0, 1e6, c.kl_weight);
  c.ce_weight = object.number("ce_weight", 0, 1e6, c.ce_weight);
  c.time_exponent = object.number("time_exponent", 0, 10, c.time_exponent);
  c.plan_voxel_weight = object.number("plan_voxel_weight", 0, 1e4, c.plan_voxel_weight);
  c.planner_steps = object.integer("planner_steps", 0, 1000000, c.planner_steps);
  c.prompt_dropout = object.number("prompt_dropout", 0, 1, c.prompt_dropout);
  c.field_dropout = object.number("field_dropout", 0, 1, c.field_dropout);
  c.sampling_steps = object.integer("sampling_steps", 1, 100000, c.sampling_steps);
  c.sampling_exponent = object.number("sampling_exponent", 0, 10, c.sampling_exponent);
  c.sampling_votes = object.integer("sampling_votes", 0, 1000, c.sampling_votes);
  if (object.has("vote_times")) c.vote_times = object.numbers("vote_times", 0.001, 1);
  c.guidance = object.number("guidance", 0, 100, c.guidance);
  c.temperature = object.number("temperature", 0.05, 10, c.temperature);
  object.finish();
  return c;
}

Json SynthesizerConfig::to_json() const {
  return {{"unet", unet.to_json()},
          {"label_width", label_width},
          {"head_width", head_width},
          {"head_blocks", head_blocks},
          {"class_weight_exponent", class_weight_exponent},
          {"text_width", text_width},
          {"embedding_width", embedding_width},
          {"text_encoder_width", text_encoder_width},
          {"sentence_width", sentence_width},
          {"read_text", read_text},
          {"distillation_weight", distillation_weight},
          {"contrast_weight", contrast_weight},
          {"contrast_temperature", contrast_temperature},
          {"text_dropout", text_dropout},
          {"schedule", schedule},
          {"timesteps", timesteps},
          {"kl_weight", kl_weight},
          {"ce_weight", ce_weight},
          {"time_exponent", time_exponent},
          {"plan_voxel_weight", plan_voxel_weight},
          {"planner_steps", planner_steps},
          {"prompt_dropout", prompt_dropout},
          {"field_dropout", field_dropout},
          {"sampling_steps", sampling_steps},
          {"sampling_exponent", sampling_exponent},
          {"sampling_votes", sampling_votes},
          {"vote_times", vote_times},
          {"guidance", guidance},
          {"temperature", temperature}};
}

}  // namespace guidegen
