#include "guidegen/train/text_training.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/stages/model_directory.hpp"
#include "guidegen/text/bert_encoder.hpp"
#include "guidegen/text/encoding_cache.hpp"
#include "guidegen/text/field_reader.hpp"
#include "guidegen/text/text_corpus.hpp"
#include "guidegen/text/word_piece_training.hpp"
#include "guidegen/train/checkpoint.hpp"
#include "guidegen/train/run_directory.hpp"

namespace guidegen {

namespace {

constexpr int64_t kMaxBadSteps = 20;  // in a row

// Texts with what they say and, with a teacher, its embeddings.
struct LabeledTexts {
  std::vector<std::string> texts;
  std::vector<Prompt> prompts;
  at::Tensor embeddings;  // [N,E], undefined without a teacher

  void add(CorpusText item) {
    texts.push_back(std::move(item.text));
    prompts.push_back(std::move(item.prompt));
  }
};

LabeledTexts corpus_part(const TextCorpus& corpus, std::string_view part, int64_t first,
                         int64_t count) {
  LabeledTexts found;
  for (int64_t i = 0; i < count; ++i) found.add(corpus.text(part, first + i));
  return found;
}

// Sentence embeddings [N,E] of texts. They are encoded some at a time in order of length, which
// saves most of the padding.
template <typename Encode>
at::Tensor sentences_of(const std::vector<std::string>& texts, size_t together, Encode&& encode) {
  std::vector<int64_t> order(texts.size()), places(texts.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return texts[static_cast<size_t>(a)].size() < texts[static_cast<size_t>(b)].size();
  });
  std::vector<at::Tensor> rows;
  std::vector<std::string> some;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto place = static_cast<size_t>(order[i]);
    places[place] = static_cast<int64_t>(i);
    some.push_back(texts[place]);
    if (some.size() < together && i + 1 < order.size()) continue;
    rows.push_back(encode(some));
    some.clear();
  }
  return torch::cat(rows).index_select(0, torch::tensor(places));
}

at::Tensor embed(EncodingCache& cache, const std::vector<std::string>& texts,
                 const std::string& title) {
  Progress progress(title, static_cast<int64_t>(texts.size()));
  int64_t done = 0;
  auto found = sentences_of(texts, 32, [&](const std::vector<std::string>& some) {
    throw_if_stopped();
    progress.update(done += static_cast<int64_t>(some.size()));
    return cache.get(some).sentence;
  });
  progress.finish();
  return found;
}

at::Tensor embed(StudentEncoder& student, const std::vector<std::string>& texts) {
  return sentences_of(texts, 16, [&](const std::vector<std::string>& some) {
    return student->encode(some).sentence;
  });
}

struct TraineeImpl : torch::nn::Module {
  TraineeImpl(const StudentConfig& config, WordPieceTokenizer tokenizer) {
    student = register_module("student", StudentEncoder(config, std::move(tokenizer)));
    reader = register_module("reader", FieldReader(config.sentence_width));
  }
  StudentEncoder student{nullptr};
  FieldReader reader{nullptr};
};
TORCH_MODULE(Trainee);

class TextRun {
 public:
  TextRun(StudentConfig student, const TextTrainingConfig& config, const TextRunOptions& run);
  void execute();

 private:
  void learn_vocabulary();
  void ask_teacher();
  int64_t restore();
  Json resolved_config() const;
  LabeledTexts batch_of(int64_t step) const;
  at::Tensor step_loss(int64_t step);
  void log_step(int64_t done, const at::Tensor& loss, const at::Tensor& norm);
  Json test();
  void checkpoint(int64_t done, bool with_test);
  void save_model();

  StudentConfig student_;
  const TextTrainingConfig& config_;
  const TextRunOptions& run_;
  TextCorpus corpus_;
  RunDirectory directory_;
  CheckpointStore checkpoints_;
  Trainee trainee_{nullptr};
  std::optional<Optimizer> optimizer_;
  std::string teacher_fingerprint_;
  LabeledTexts distilled_, test_;
  std::map<std::string, at::Tensor> parts_;  // of the last loss
  std::chrono::steady_clock::time_point logged_at_ = std::chrono::steady_clock::now();
  int64_t logged_ = 0;
  int64_t saved_at_ = -1;
  Json test_result_;
  std::string note_;
};

TextRun::TextRun(StudentConfig student, const TextTrainingConfig& config, const TextRunOptions& run)
    : student_(std::move(student)),
      config_(config),
      run_(run),
      corpus_(config.seed),
      directory_(run.out, resolved_config(), run.resume),
      checkpoints_(run.out, config.keep_checkpoints) {}

Json TextRun::resolved_config() const {
  const Json teacher = run_.teacher.empty() ? Json(nullptr) : Json(run_.teacher.string());
  return {{"part", "text"},
          {"teacher", teacher},
          {"network", student_.to_json()},
          {"training", config_.to_json()}};
}

void TextRun::learn_vocabulary() {
  const auto texts = corpus_part(corpus_, "vocabulary", 0, config_.vocabulary_texts).texts;
  auto pieces = learn_word_pieces(texts, static_cast<size_t>(config_.vocabulary));
  student_.vocabulary = static_cast<int64_t>(pieces.size());
  torch::manual_seed(config_.seed);
  trainee_ = Trainee(student_, WordPieceTokenizer(std::move(pieces), {}, "learned vocabulary"));
  log_info(concat("vocabulary of ", student_.vocabulary, " pieces"));
}

void TextRun::ask_teacher() {
  test_ = corpus_part(corpus_, "test", 0, config_.test_texts);
  if (run_.teacher.empty()) {
    log_info("no teacher: the prompt's fields alone teach");
    return;
  }
  auto teacher = BertEncoder::from_folder(run_.teacher);
  if (teacher.config().width != student_.sentence_width) {
    throw_usage("network.sentence_width: ", student_.sentence_width, ", expected that of ",
                run_.teacher.string(), ", ", teacher.config().width);
  }
  teacher_fingerprint_ = teacher.fingerprint();
  EncodingCache::Options options;
  options.tokens = false;
  options.folder = run_.cache;
  EncodingCache cache(
      teacher_fingerprint_,
      [&](const std::vector<std::string>& texts) { return teacher.encode(texts); }, options);
  distilled_ = corpus_part(corpus_, "distilled", 0, config_.distilled_texts);
  distilled_.embeddings = embed(cache, distilled_.texts, "teacher");
  test_.embeddings = embed(cache, test_.texts, "teacher, test");
}

int64_t TextRun::restore() {
  optimizer_.emplace(*trainee_, config_.optimizer, config_.steps);
  if (!run_.resume || checkpoints_.empty()) return 0;
  const int64_t done = checkpoints_.load_newest(*trainee_, *optimizer_);
  log_info(concat("resuming after step ", done));
  if (done > config_.steps) {
    throw_usage("training.steps: ", config_.steps, ", but ", run_.out.string(),
                " has been trained for ", done, " steps");
  }
  return done;
}

// With a teacher, texts that it has embedded come first; the others are seen once.
LabeledTexts TextRun::batch_of(int64_t step) const {
  LabeledTexts batch;
  const int64_t distilled = run_.teacher.empty() ? 0 : config_.batch / 2;
  RandomStream stream(config_.seed, concat("step-", step), "text-training/batch");
  std::vector<at::Tensor> embeddings;
  for (int64_t i = 0; i < distilled; ++i) {
    const auto at = stream.integer(static_cast<int64_t>(distilled_.texts.size()));
    const auto place = static_cast<size_t>(at);
    batch.add({distilled_.texts[place], distilled_.prompts[place]});
    embeddings.push_back(distilled_.embeddings[at]);
  }
  if (!embeddings.empty()) batch.embeddings = torch::stack(embeddings);
  for (int64_t i = distilled; i < config_.batch; ++i) {
    batch.add(corpus_.text("train", step * config_.batch + i));
  }
  return batch;
}

at::Tensor TextRun::step_loss(int64_t step) {
  const auto batch = batch_of(step);
  const auto sentence = embed(trainee_->student, batch.texts);
  const auto fields = trainee_->reader->loss(sentence, FieldTargets(batch.prompts));
  parts_ = {{"fields", fields.detach()}};
  auto total = config_.field_weight * fields;
  if (batch.embeddings.defined()) {
    const auto distilled = distillation_loss(sentence.slice(0, 0, batch.embeddings.size(0)),
                                             batch.embeddings, config_.contrast_temperature);
    total = total + config_.cosine_weight * distilled.cosine +
            config_.contrast_weight * distilled.contrast;
    parts_["cosine"] = distilled.cosine.detach();
    parts_["contrast"] = distilled.contrast.detach();
  }
  return total;
}

void TextRun::log_step(int64_t done, const at::Tensor& loss, const at::Tensor& norm) {
  const auto number = [](const at::Tensor& scalar) {
    const auto value = scalar.item<double>();
    return std::isfinite(value) ? Json(value) : Json(nullptr);
  };
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - logged_at_).count();
  Json line = {{"step", done}, {"loss", number(loss)}};
  for (const auto& [name, part] : parts_) line[name] = number(part);
  line["learning_rate"] = optimizer_->learning_rate(done - 1);
  line["gradient_norm"] = number(norm);
  line["texts_per_second"] = double((done - logged_) * config_.batch) / seconds;
  directory_.add_metrics(line);
  note_ = "loss " + line["loss"].dump();
  logged_at_ = now;
  logged_ = done;
  if (optimizer_->bad_steps() >= kMaxBadSteps) {
    throw_failure("the loss was not finite for ", kMaxBadSteps, " steps in a row, up to step ",
                  done, "; lower training.optimizer.learning_rate");
  }
}

// Cosine and accuracies of the averaged weights on texts that are held out.
Json TextRun::test() {
  const torch::NoGradGuard no_grad;
  optimizer_->swap_averages();
  const auto sentence = embed(trainee_->student, test_.texts);
  const FieldTargets targets(test_.prompts);
  Json result = {{"test_fields", trainee_->reader->loss(sentence, targets).item<double>()}};
  for (const auto& [field, share] : trainee_->reader->accuracy(sentence, targets)) {
    result["test_" + field] = share;
  }
  if (test_.embeddings.defined()) {
    result["test_cosine"] = (sentence * test_.embeddings).sum(1).mean().item<double>();
    const auto nearest = sentence.matmul(test_.embeddings.t()).argmax(1);
    result["test_retrieval"] =
        (nearest == torch::arange(nearest.size(0))).to(torch::kDouble).mean().item<double>();
  }
  optimizer_->swap_averages();
  return result;
}

void TextRun::checkpoint(int64_t done, bool with_test) {
  if (with_test) {
    test_result_ = test();
    Json line = {{"step", done}};
    line.update(test_result_);
    directory_.add_metrics(line);
  }
  if (saved_at_ == done) return;
  std::optional<double> loss;
  if (with_test) loss = test_result_["test_fields"].get<double>();
  checkpoints_.save(done, *trainee_, *optimizer_, loss);
  saved_at_ = done;
}

void TextRun::save_model() {
  TextEntry entry{"text.safetensors", "text-vocab.txt", student_.to_json(), {}};
  std::map<std::string, at::Tensor> weights;
  const std::string prefix = "student.";
  for (const auto& [name, tensor] : optimizer_->averaged_state()) {
    if (name.starts_with(prefix)) weights[name.substr(prefix.size())] = tensor.to(at::kHalf);
  }
  entry.provenance = {
      {"guidegen", version()},
      {"teacher_sha256", teacher_fingerprint_.empty() ? Json(nullptr) : Json(teacher_fingerprint_)},
      {"training", config_.to_json()},
      {"test", test_result_}};
  write_text_model(run_.out / "model", entry, weights,
                   to_lines(trainee_->student->tokenizer().vocabulary()));
}

void TextRun::execute() {
  learn_vocabulary();
  ask_teacher();
  const int64_t first = restore();
  directory_.begin(first);
  saved_at_ = first > 0 ? first : -1;
  logged_ = first;
  logged_at_ = std::chrono::steady_clock::now();
  trainee_->train();
  Progress progress("text encoder", config_.steps);
  for (int64_t index = first; index < config_.steps; ++index) {
    const auto loss = step_loss(index);
    loss.backward();
    const auto norm = optimizer_->apply(index);
    const int64_t done = index + 1;
    if (done % config_.log_every == 0 || index == 0) log_step(done, loss.detach(), norm);
    progress.update(done, note_);
    if (done % config_.checkpoint_every == 0 && done < config_.steps) checkpoint(done, true);
    if (stop_signal() != 0) {
      checkpoint(done, false);
      throw Stopped{stop_signal()};
    }
  }
  progress.finish();
  checkpoint(config_.steps, true);
  save_model();
  log_info(
      concat("trained ", config_.steps, " steps; the model is in ", (run_.out / "model").string()));
}

}  // namespace

void train_text(StudentConfig student, const TextTrainingConfig& config,
                const TextRunOptions& run) {
  TextRun(std::move(student), config, run).execute();
}

}  // namespace guidegen
