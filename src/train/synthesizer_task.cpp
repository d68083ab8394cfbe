#include "guidegen/core/sha256.hpp"
#include "guidegen/stages/synthesizer.hpp"
#include "guidegen/volume/labels.hpp"
#include "train/task_tools.hpp"

namespace guidegen {

namespace {

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
      request.text =
          texts_->source.encode({item.prompt.text.value_or(guidegen::describe(item.prompt, 0))});
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

}  // namespace

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

}  // namespace guidegen
