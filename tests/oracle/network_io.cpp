// guidegen_network_io MODEL_DIR OUT.safetensors
//
// Runs each stage's network once on made-up inputs and writes inputs and outputs, so that
// compare_networks.py can run the same networks in Python. Prompts go into the header as JSON.
#include <torch/torch.h>

#include <iostream>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/stages/feature_generator.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/stages/model_directory.hpp"
#include "guidegen/stages/synthesizer.hpp"

namespace guidegen {
namespace {

constexpr int64_t kD = 24, kH = 20, kW = 28;  // sizes differ, so that no axes can be mixed up
constexpr uint64_t kSeed = 7;

RandomStream stream_of(const std::string& purpose) { return {kSeed, "network-io", purpose}; }

// A prompt with every field, one with all open and no prompt: 7, 5 and 1 tokens.
std::vector<std::optional<Prompt>> prompts() {
  const Json full = {{"sex", "female"},
                     {"age", 63},
                     {"race", "white"},
                     {"contrast", "portal-venous"},
                     {"tumors",
                      {{{"organ", "kidney"}, {"position", "left"}, {"count", 2}, {"size_mm", 34.5}},
                       {{"organ", "colon"}, {"position", "sigmoid-rectum"}, {"stage", "T3"}}}}};
  return {prompt_from_json(full, "full"), prompt_from_json(Json::object(), "open"), std::nullopt};
}

Json prompts_json() {
  Json all = Json::array();
  for (const auto& prompt : prompts()) all.push_back(prompt ? to_json(*prompt) : Json());
  return all;
}

// Noise of `labels` labels in blocks of 4, so that there are both edges and plains.
at::Tensor random_labels(int64_t batch, int64_t labels, const std::string& purpose) {
  auto stream = stream_of(purpose);
  const auto coarse = random_uniform(stream, {batch, 1, kD / 4, kH / 4, kW / 4}) * double(labels);
  return at::upsample_nearest3d(coarse, {kD, kH, kW}).squeeze(1).to(at::kByte);
}

TumorPlan some_plan() {
  return {{TumorOrgan::kKidney, TumorPosition::kKidneyLeft, {20, -10, 5}, 34.5},
          {TumorOrgan::kColon, TumorPosition::kColonSigmoidRectum, {-15, 12, -20}, 28.0}};
}

/// The text encoder of a stage; its owner keeps it private, its name is part of the file format.
AttributeEncoderImpl& prompt_encoder_of(const torch::nn::Module& stage) {
  return *stage.named_children()["prompt_encoder"]->as<AttributeEncoderImpl>();
}

void put(TensorFile& file, const std::string& name, const at::Tensor& tensor) {
  file.tensors[name] = tensor.detach().contiguous();
}

void put_text(TensorFile& file, const std::string& prefix, const PromptFeatures& text) {
  put(file, prefix + "tokens", text.tokens);
  put(file, prefix + "present", text.present);
  put(file, prefix + "pooled", text.pooled);
}

JsonObject config_of(const ModelDescription& model, int stage, const std::string& source) {
  return {model.stages.at(stage).config, source, concat("stages.", stage, ".config")};
}

// The loss of stage I and its gradient, for x_0 = other labels than x_t in some voxels.
void put_loss(const SynthesizerConfig& config, int64_t labels, const at::Tensor& xt,
              const at::Tensor& t, const at::Tensor& logits, TensorFile& file) {
  const CategoricalDiffusion diffusion(NoiseSchedule(config.schedule, config.timesteps), labels);
  auto stream = stream_of("stage1/weight");
  const auto weight = random_uniform(stream, xt.sizes()) + 0.5;
  const auto x0 = torch::where(random_uniform(stream, xt.sizes()) < 0.5, xt,
                               random_labels(xt.size(0), labels, "stage1/x0"));
  const torch::AutoGradMode with_gradient(true);
  const auto leaf = logits.detach().clone().requires_grad_();
  const auto loss =
      diffusion.loss(leaf, x0, xt, t, config.kl_weight, config.ce_weight, weight).total;
  loss.backward();
  put(file, "stage1.x0", x0);
  put(file, "stage1.weight", weight);
  put(file, "stage1.out.loss", loss);
  put(file, "stage1.out.gradient", leaf.grad());
}

// Appends made-up tokens of a language model, as the stage does with those of real texts.
void add_text_tokens(const torch::nn::Module& stage, const SynthesizerConfig& config,
                     PromptFeatures& features, TensorFile& file) {
  if (config.text_encoder_width == 0) return;
  const int64_t batch = features.tokens.size(0);
  auto stream = stream_of("stage1/text_tokens");
  const auto tokens = random_normal(stream, {batch, 6, config.text_encoder_width});
  auto present = torch::ones({batch, 6}, features.present.options());
  present[0].slice(0, 4).fill_(0);  // a shorter text
  present[2].fill_(0);              // no text at all
  put(file, "stage1.text_tokens", tokens);
  put(file, "stage1.text_present", present);
  const auto width = stage.named_children()["text"]->as<torch::nn::Linear>()->forward(tokens);
  features.tokens = torch::cat({features.tokens, width}, 1);
  features.present = torch::cat({features.present, present}, 1);
}

void run_synthesizer(const ModelDescription& model, const std::filesystem::path& folder,
                     TensorFile& file) {
  const auto config = SynthesizerConfig::from_json(config_of(model, 1, folder.string()));
  const int64_t labels = model.vocabulary.size();
  Synthesizer network(config, labels, model.vocabulary.tumor());
  load_module(folder / model.stages.at(1).weights, *network);
  network->eval();
  const auto geometry = centered_geometry({kW, kH, kD}, {3, 4, 5});
  const int64_t batch = int64_t(prompts().size());
  SynthesizerImpl::Condition condition;
  condition.text = prompt_encoder_of(*network).forward(prompts());
  add_text_tokens(*network, config, condition.text, file);
  auto coordinates = stream_of("stage1/coordinates");
  condition.plan = torch::cat({rasterize_plan(some_plan(), geometry, 2).unsqueeze(0),
                               random_normal(coordinates, {1, 3, kD / 2, kH / 2, kW / 2})},
                              1)
                       .repeat({batch, 1, 1, 1, 1});
  condition.odds = plan_log_odds(some_plan(), geometry).repeat({batch, 1, 1, 1});
  condition.geometry = geometry_features(geometry).repeat({batch, 1});
  const auto xt = random_labels(batch, labels, "stage1/xt");
  const auto t = torch::tensor({int64_t{1}, config.timesteps / 2, config.timesteps});
  const NoiseSchedule schedule(config.schedule, config.timesteps);
  std::vector<double> signal;
  for (int64_t b = 0; b < batch; ++b) signal.push_back(schedule.alpha_bar(t[b].item<int64_t>()));
  put(file, "stage1.xt", xt);
  put(file, "stage1.t", t);
  put(file, "stage1.signal", torch::tensor(signal, at::kDouble));
  put(file, "stage1.plan", condition.plan);
  put(file, "stage1.odds", condition.odds);
  put(file, "stage1.geometry", condition.geometry);
  put_text(file, "stage1.out.", condition.text);
  const auto logits = network->forward(xt, t, condition);
  put(file, "stage1.out.logits", logits);
  put_loss(config, labels, xt, t, logits, file);
}

void run_autoencoder(const ModelDescription& model, const std::filesystem::path& folder,
                     TensorFile& file) {
  const int64_t labels = model.vocabulary.size();
  HdrAutoencoder network(HdrAutoencoderConfig::from_json(config_of(model, 2, folder.string())),
                         labels);
  load_module(folder / model.stages.at(2).weights, *network);
  network->eval();
  auto stream = stream_of("stage2/hu");
  const auto hu = (random_normal(stream, {2, 1, kD, kH, kW}) * 900.0).clamp(-1024.0, 3071.0);
  auto mask = random_labels(2, labels, "stage2/mask").to(at::kInt);
  mask[1].fill_(labels);  // decoded without a mask
  const auto posterior = network->encode(hu);
  const auto decoded = network->decode(posterior.mean, mask);
  put(file, "stage2.hu", hu);
  put(file, "stage2.mask", mask);
  put(file, "stage2.out.mean", posterior.mean);
  put(file, "stage2.out.log_variance", posterior.log_variance);
  put(file, "stage2.out.exposures", decoded.exposures);
  put(file, "stage2.out.hu", decoded.hu);
}

void run_generator(const ModelDescription& model, const std::filesystem::path& folder,
                   TensorFile& file) {
  const auto& entry = model.stages.at(3);
  const int64_t labels = model.vocabulary.size();
  FeatureGenerator network(FeatureGeneratorConfig::from_json(config_of(model, 3, folder.string())),
                           model.vocabulary, entry.latent_channels);
  load_module(folder / entry.weights, *network);
  network->eval();
  const int64_t batch = int64_t(prompts().size());
  auto stream = stream_of("stage3/z");
  const auto z = random_normal(stream, {batch, entry.latent_channels, kD / 4, kH / 4, kW / 4});
  const auto time = torch::tensor({0.1F, 0.5F, 1.0F});
  const FeatureGeneratorImpl::Condition condition{
      network->encode_prompts(prompts()), random_labels(batch, labels, "stage3/mask"),
      place_features(centered_geometry({kW, kH, kD}, {3, 4, 5}), BodyPosition{-150, 200})
          .repeat({batch, 1})};
  put(file, "stage3.z", z);
  put(file, "stage3.time", time);
  put(file, "stage3.mask", condition.mask);
  put(file, "stage3.geometry", condition.place);
  put_text(file, "stage3.out.", condition.text);
  put(file, "stage3.out.velocity", network->forward(z, time, condition));
}

void run(const std::filesystem::path& folder, const std::filesystem::path& out) {
  const torch::NoGradGuard no_grad;
  const ModelDescription model = read_model_description(folder);
  TensorFile file;
  file.metadata["prompts"] = prompts_json().dump();
  run_synthesizer(model, folder, file);
  run_autoencoder(model, folder, file);
  run_generator(model, folder, file);
  write_safetensors(out, file);
}

}  // namespace
}  // namespace guidegen

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: guidegen_network_io MODEL_DIR OUT.safetensors" << std::endl;
    return 2;
  }
  try {
    guidegen::run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::cerr << "guidegen_network_io: " << error.what() << std::endl;
    return 1;
  }
}
