#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/stages/autoencoder_training.hpp"
#include "guidegen/stages/feature_generator.hpp"
#include "guidegen/stages/synthesizer.hpp"
#include "guidegen/train/latent_cache.hpp"
#include "guidegen/train/stage_task.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {

namespace {

constexpr uint64_t kPreviewSeed = 1;

JsonObject network_object(const Json& network, const std::string& source) {
  static const Json nothing = Json::object();
  return {network.is_null() ? nothing : network, source, "network"};
}

// At most `count` of them, evenly spread.
std::vector<size_t> spread(const std::vector<size_t>& indices, size_t count) {
  if (indices.size() <= count) return indices;
  std::vector<size_t> some;
  for (size_t i = 0; i < count; ++i) some.push_back(indices[i * indices.size() / count]);
  return some;
}

bool starts_with(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

// The text encoders of a run and where the student lies.
struct TextModel {
  std::filesystem::path directory;
  TextEntry entry;
  std::string fingerprint;
  TextSource source;
};

std::unique_ptr<TextModel> read_text_model(const TextModelPaths& paths) {
  if (paths.student.empty()) {
    if (!paths.teacher.empty()) {
      throw_usage("--teacher ", paths.teacher.string(),
                  ": needs the student that was trained with it, give --text");
    }
    return nullptr;
  }
  const auto description = read_model_description(paths.student);
  const auto source = (paths.student / "model.json").string();
  if (!description.text) {
    throw_usage(source, ": holds no text encoder, expected the model of `guidegen train text`");
  }
  const auto& entry = *description.text;
  auto student = read_student(JsonObject(entry.config, source, "text.config"),
                              paths.student / entry.vocabulary, paths.student / entry.weights);
  const auto fingerprint = sha256_file(paths.student / entry.weights);
  std::optional<BertEncoder> teacher;
  if (!paths.teacher.empty()) teacher = BertEncoder::from_folder(paths.teacher);
  return std::unique_ptr<TextModel>(
      new TextModel{paths.student, entry, fingerprint,
                    TextSource(std::move(student), fingerprint, std::move(teacher))});
}

class SynthesizerTask final : public StageTask {
 public:
  SynthesizerTask(const SynthesizerConfig& config, const Vocabulary& vocabulary,
                  std::unique_ptr<TextModel> texts)
      : vocabulary_(vocabulary),
        texts_(std::move(texts)),
        synthesizer_(config, vocabulary_.size(), vocabulary_.tumor()) {}

  int stage() const override { return 1; }
  torch::nn::Module& module() override { return *synthesizer_; }
  bool needs_ct() const override { return false; }
  void measure(const CaseReader& read, const std::vector<size_t>& training,
               uint64_t seed) override {
    constexpr size_t kCases = 2000;  // plenty for the planner's few weights
    std::vector<Prompt> prompts;
    std::vector<TumorPlan> plans;
    auto counts = torch::zeros({vocabulary_.size()}, at::kLong);
    for (const auto index : spread(training, kCases)) {
      const auto item = read(index);
      counts += count_labels(item->mask, vocabulary_.size());
      prompts.push_back(item->prompt);
      plans.push_back(plan_of(item->tumors, item->geometry));
    }
    synthesizer_->fit_planner(prompts, plans, seed);
    synthesizer_->set_label_counts(counts);
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    return synthesizer_->prepare(batch, randomness, texts_ ? &texts_->source : nullptr);
  }
  LossTerms loss(const StepInputs& inputs) override { return synthesizer_->loss(inputs); }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    synthesizer_->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    MaskRequest request;
    request.prompt = item.prompt;
    request.geometry = item.geometry;
    request.seed = kPreviewSeed;
    request.case_id = item.id;
    request.vocabulary = &vocabulary_;
    if (synthesizer_->config().text_encoder_width > 0) {
      request.text = texts_->source.encode({item.prompt.text.value_or(describe(item.prompt, 0))});
    }
    const Volume mask{synthesizer_->sample(request).unsqueeze(0), item.geometry};
    return render_preview(nullptr, &mask, vocabulary_);
  }
  Json network_config() const override { return synthesizer_->config().to_json(); }
  std::vector<std::string> measured_weights() const override {
    return {"planner.", "class_weights"};
  }
  std::vector<std::string> optional_weights() const override {
    return {"head", "text.", "distilled."};
  }
  std::optional<TextEntry> copy_text_encoder(const std::filesystem::path& folder) const override {
    if (synthesizer_->config().text_encoder_width == 0) return std::nullopt;
    const auto& entry = texts_->entry;
    for (const auto& file : {entry.weights, entry.vocabulary}) {
      std::filesystem::copy_file(texts_->directory / file, folder / file);
    }
    return entry;
  }
  Json sources() const override {
    if (!texts_) return Json();
    return {{"text_encoder", texts_->fingerprint},
            {"teacher", texts_->source.teacher_fingerprint()}};
  }

 private:
  const Vocabulary& vocabulary_;
  std::unique_ptr<TextModel> texts_;
  Synthesizer synthesizer_;
};

constexpr size_t kLatentCases = 24;  // whose latents tell how all are distributed

// What the autoencoder makes of a case, in full precision whatever training uses.
HdrAutoencoderImpl::Posterior posterior_of(HdrAutoencoder& autoencoder, const TrainingCase& item) {
  const AutocastScope full_precision(AutocastState::off());
  return encode_ct(autoencoder, {item.ct.to(at::kFloat).unsqueeze(0), item.geometry});
}

class AutoencoderTask final : public StageTask {
 public:
  AutoencoderTask(const HdrAutoencoderConfig& config, const Vocabulary& vocabulary)
      : vocabulary_(vocabulary), training_(HdrAutoencoder(config, vocabulary.size())) {}

  int stage() const override { return 2; }
  torch::nn::Module& module() override { return *training_; }
  bool needs_ct() const override { return true; }
  void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t) override {
    constexpr size_t kCases = 200;
    if (training_->network()->config().losses.organ_balance == 0) return;
    auto counts = torch::zeros({vocabulary_.size()}, at::kLong);
    for (const auto index : spread(training, kCases)) {
      counts += count_labels(read(index)->mask, vocabulary_.size());
    }
    training_->set_label_counts(counts);
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    return training_->prepare(batch, randomness);
  }
  LossTerms loss(const StepInputs& inputs) override { return training_->loss(inputs); }
  void end_step(Collective& collective, RandomStream random) override {
    const auto& world = collective.world();
    training_->end_step({world.rank, world.size, [&](at::Tensor values) { collective.sum(values); }},
                        std::move(random));
  }
  void to(const at::Device& device) override { training_->move_to(device); }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    training_->network()->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    const Volume ct{item.ct.to(at::kFloat).unsqueeze(0), item.geometry};
    const Volume mask{item.mask.unsqueeze(0), item.geometry};
    const Volume made = reconstruct_ct(training_->network(), ct, &mask);
    return contact_sheet(
        {render_preview(&ct, nullptr, vocabulary_), render_preview(&made, nullptr, vocabulary_)},
        {"original", "reconstruction"}, 1);
  }
  Json network_config() const override { return training_->network()->config().to_json(); }
  std::string network_prefix() const override { return "network."; }
  std::vector<std::string> training_weights() const override { return {"quantizer.training."}; }
  std::vector<std::string> measured_weights() const override { return {"label_weights"}; }
  std::vector<std::string> optional_weights() const override { return {"network.fusion_prior."}; }
  void describe(StageEntry& entry, const CaseReader& read,
                const std::vector<size_t>& training) override {
    LatentMoments moments;
    for (const auto index : spread(training, kLatentCases)) {
      moments.add(posterior_of(training_->network(), *read(index)).mean);
    }
    if (!training.empty()) entry.latent_statistics = moments.finish();
  }

 private:
  const Vocabulary& vocabulary_;
  AutoencoderTraining training_;
};

// The frozen autoencoder that stage III makes latents for.
struct FrozenAutoencoder {
  HdrAutoencoder network;
  std::string fingerprint;  // of weights and configuration
  std::optional<LatentStatistics> statistics;
};

class GeneratorTask final : public StageTask {
 public:
  GeneratorTask(const FeatureGeneratorConfig& config, const FrozenAutoencoder& autoencoder,
                const Vocabulary& vocabulary, const std::filesystem::path& latents)
      : vocabulary_(vocabulary),
        autoencoder_(autoencoder.network),
        statistics_(autoencoder.statistics),
        generator_(config, vocabulary_.size(), autoencoder_->config().latent_channels),
        latents_(latents, autoencoder.fingerprint,
                 [this](const TrainingCase& item) { return posterior_of(autoencoder_, item); }) {}

  int stage() const override { return 3; }
  torch::nn::Module& module() override { return *generator_; }
  bool needs_ct() const override { return true; }
  void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t) override {
    auto statistics = statistics_;
    if (!statistics) {
      LatentMoments moments;
      for (const auto index : spread(training, kLatentCases)) {
        moments.add(latents_.load(*read(index)).mean);
      }
      statistics = moments.finish();
    }
    generator_->set_latent_statistics(torch::tensor(statistics->mean),
                                      torch::tensor(statistics->deviation));
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    auto inputs = generator_->prepare(batch, randomness);
    if (generator_->config().sample_posterior) {
      std::vector<at::Tensor> noises;
      const auto shape = inputs.tensor("noise").sizes().slice(1).vec();
      for (size_t i = 0; i < batch.size(); ++i) {
        auto stream = randomness.stream("stage3/posterior", i);
        noises.push_back(random_normal(stream, shape));
      }
      inputs.tensors["posterior_noise"] = torch::stack(noises);
    }
    return inputs;
  }
  LossTerms loss(const StepInputs& inputs) override {
    const auto device = inputs.tensor("mask").device();
    std::vector<at::Tensor> means, log_variances;
    const bool samples = generator_->config().sample_posterior;
    for (const auto& item : inputs.cases) {
      const auto& latents = latents_.load(*item);
      means.push_back(queue_to(latents.mean, device));
      if (samples) log_variances.push_back(queue_to(latents.log_variance, device));
    }
    if (!samples) return generator_->loss(inputs, torch::cat(means));
    const HdrAutoencoderImpl::Posterior posterior{torch::cat(means), torch::cat(log_variances)};
    return generator_->loss(inputs, posterior.sample(inputs.tensor("posterior_noise")));
  }
  void to(const at::Device& device) override {
    StageTask::to(device);
    autoencoder_->to(device);
    if (device.is_cuda()) order_channels_last(*autoencoder_);
  }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    generator_->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    FeatureGeneratorImpl::Request request;
    request.prompt = item.prompt;
    request.mask = {item.mask.unsqueeze(0), item.geometry};
    request.seed = kPreviewSeed;
    request.case_id = item.id;
    request.steps = generator_->config().sampling_steps;
    const Volume ct = decode_ct(autoencoder_, generator_->sample(request), request.mask);
    return render_preview(&ct, &request.mask, vocabulary_);
  }
  Json network_config() const override { return generator_->config().to_json(); }
  std::vector<std::string> measured_weights() const override { return {"latent_"}; }
  int64_t latent_channels() const override { return autoencoder_->config().latent_channels; }

 private:
  const Vocabulary& vocabulary_;
  HdrAutoencoder autoencoder_;
  std::optional<LatentStatistics> statistics_;
  FeatureGenerator generator_;
  LatentCache latents_;
};

}  // namespace

void StageTask::measure(const CaseReader&, const std::vector<size_t>&, uint64_t) {}

void StageTask::describe(StageEntry&, const CaseReader&, const std::vector<size_t>&) {}

std::optional<TextEntry> StageTask::copy_text_encoder(const std::filesystem::path&) const {
  return std::nullopt;
}

void StageTask::end_step(Collective&, RandomStream) {}

void StageTask::to(const at::Device& device) {
  module().to(device);
  if (device.is_cuda()) order_channels_last(module());
}

std::map<std::string, at::Tensor> weights_to_keep(const StageTask& task,
                                                  const std::map<std::string, at::Tensor>& state) {
  const auto prefix = task.network_prefix();
  std::map<std::string, at::Tensor> kept;
  for (const auto& [name, tensor] : state) {
    if (!name.starts_with(prefix)) continue;
    const auto own = name.substr(prefix.size());
    if (!starts_with(own, task.training_weights())) kept[own] = tensor;
  }
  return kept;
}

std::string start_from(StageTask& task, const std::filesystem::path& model, int64_t labels) {
  const auto description = read_model_description(model);
  const auto entry = description.stages.find(task.stage());
  if (entry == description.stages.end()) {
    throw_usage(model.string(), ": holds no stage ", task.stage(), " to start from");
  }
  if (description.vocabulary.size() != labels) {
    throw_usage(model.string(), ": its vocabulary has ", description.vocabulary.size(),
                " labels, the data set's ", labels);
  }
  const auto path = model / entry->second.weights;
  const auto prefix = task.network_prefix();
  std::map<std::string, at::Tensor> state;
  for (auto& [name, tensor] : read_safetensors(path).tensors) state[prefix + name] = tensor;
  const auto own_state = state_of(task.module());
  const auto kept = weights_to_keep(task, own_state);
  for (const auto& [name, own] : own_state) {
    const bool in_models = name.starts_with(prefix) && kept.contains(name.substr(prefix.size()));
    const bool added =
        !state.contains(name) && (!in_models || starts_with(name, task.optional_weights()));
    if (added || starts_with(name, task.measured_weights())) state[name] = own.clone();
  }
  std::erase_if(state, [&](const auto& item) {
    const auto& name = item.first;
    return !own_state.contains(name) && (starts_with(name, task.optional_weights()) ||
                                         starts_with(name, task.measured_weights()));
  });
  load_state(task.module(), state, path.string());
  return sha256_file(path);
}

std::unique_ptr<StageTask> make_synthesizer_task(const Json& network, const std::string& source,
                                                 const Vocabulary& vocabulary,
                                                 const TextModelPaths& text) {
  auto config = SynthesizerConfig::from_json(network_object(network, source));
  auto texts = read_text_model(text);
  const bool distills = config.distillation_weight > 0 || config.contrast_weight > 0;
  config.text_encoder_width = texts && config.read_text ? texts->source.token_width() : 0;
  config.sentence_width = texts && distills ? texts->source.sentence_width() : 0;
  return std::make_unique<SynthesizerTask>(config, vocabulary, std::move(texts));
}

std::unique_ptr<StageTask> make_autoencoder_task(const Json& network, const std::string& source,
                                                 const Vocabulary& vocabulary) {
  const auto config = HdrAutoencoderConfig::from_json(network_object(network, source));
  return std::make_unique<AutoencoderTask>(config, vocabulary);
}

std::unique_ptr<StageTask> make_generator_task(const Json& network, const std::string& source,
                                               const Vocabulary& vocabulary,
                                               const std::filesystem::path& autoencoder,
                                               const std::filesystem::path& latents) {
  const auto config = FeatureGeneratorConfig::from_json(network_object(network, source));
  const auto description = read_model_description(autoencoder);
  const auto stage2 = description.stages.find(2);
  if (stage2 == description.stages.end()) {
    throw_usage(autoencoder.string(), ": holds no stage 2, expected a trained autoencoder");
  }
  if (description.vocabulary.size() != vocabulary.size()) {
    throw_usage(autoencoder.string(), ": its vocabulary has ", description.vocabulary.size(),
                " labels, the data set's ", vocabulary.size());
  }
  HdrAutoencoder network2(HdrAutoencoderConfig::from_json(JsonObject(
                              stage2->second.config, autoencoder.string(), "stages.2.config")),
                          vocabulary.size());
  load_module(autoencoder / stage2->second.weights, *network2);
  network2->eval();
  for (auto& parameter : network2->parameters()) parameter.set_requires_grad(false);
  const auto fingerprint = sha256_hex(concat(sha256_file(autoencoder / stage2->second.weights),
                                             network2->config().to_json().dump()));
  return std::make_unique<GeneratorTask>(
      config, FrozenAutoencoder{network2, fingerprint, stage2->second.latent_statistics},
      vocabulary, latents);
}

}  // namespace guidegen
