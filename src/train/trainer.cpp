#include "guidegen/train/trainer.hpp"

#include <torch/torch.h>

#include <chrono>
#include <sstream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/train/checkpoint.hpp"

namespace guidegen {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMaxBadSteps = 20;  // in a row

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One training run; the members are what its steps share.
class Run {
 public:
  Run(StageTask& task, const Dataset& dataset, const TrainingConfig& config, const RunOptions& run)
      : task_(task),
        dataset_(dataset),
        config_(config),
        run_(run),
        // Before the optimizer, whose averages start at the weights.
        init_sha256_(run.init.empty() ? ""
                                      : start_from(task, run.init, dataset.vocabulary().size())),
        optimizer_(task.module(), config.optimizer, config.steps),
        checkpoints_(run.out, config.keep_checkpoints),
        bf16_(use_bf16(config.precision)) {}

  void execute();

 private:
  Json resolved_config() const;
  void check_directory() const;
  int64_t start_step();
  void drop_metrics_after(int64_t step) const;
  void step(int64_t index, PrefetchLoader& loader);
  void log_step(int64_t index, const LossTerms& terms, double norm);
  void save_checkpoint(int64_t done);
  void save_preview(int64_t done);
  void save_model() const;

  StageTask& task_;
  const Dataset& dataset_;
  const TrainingConfig& config_;
  const RunOptions& run_;
  std::string init_sha256_;
  Optimizer optimizer_;
  CheckpointStore checkpoints_;
  bool bf16_;
  int64_t bad_steps_ = 0;
  int64_t saved_at_ = -1;
  double wait_seconds_ = 0;
  std::chrono::steady_clock::time_point logged_at_ = std::chrono::steady_clock::now();
  int64_t logged_step_ = 0;
  std::string note_;
};

Json Run::resolved_config() const {
  Json config = {{"stage", task_.stage()},
                 {"network", task_.network_config()},
                 {"training", config_.to_json()}};
  if (!run_.init.empty()) config["init"] = run_.init.string();
  return config;
}

// What must stay the same when a run is resumed: all but its length and what it leaves on the way.
Json fixed_part(Json config) {
  for (const auto* key :
       {"steps", "log_every", "checkpoint_every", "keep_checkpoints", "preview_every"}) {
    config["training"].erase(key);
  }
  return config;
}

void Run::check_directory() const {
  const auto path = run_.out / "config.json";
  const Json config = resolved_config();
  if (!run_.resume && !checkpoints_.empty()) {
    throw_usage(run_.out.string(),
                ": holds checkpoints of a run already; give --resume or another --out");
  }
  if (run_.resume && fs::exists(path) && fixed_part(read_json_file(path)) != fixed_part(config)) {
    throw_usage(path.string(),
                ": the run was started with another configuration; "
                "resume with the same one or give another --out");
  }
}

// Lines that a killed run wrote past its last checkpoint would appear twice.
void Run::drop_metrics_after(int64_t step) const {
  const auto path = run_.out / "metrics.jsonl";
  if (!fs::exists(path)) return;
  std::istringstream lines(read_file(path));
  std::string kept, line;
  while (std::getline(lines, line)) {
    try {
      if (parse_json(line, path.string()).value("step", int64_t{0}) <= step) kept += line + "\n";
    } catch (const Error&) {
      break;  // a line cut off by the kill
    }
  }
  write_file_atomic(path, kept);
}

int64_t Run::start_step() {
  int64_t step = 0;
  if (run_.resume) {
    if (const auto found = checkpoints_.load_newest(task_.module(), optimizer_)) {
      step = *found;
      log_info(concat("resuming after step ", step));
    } else {
      log_info("no checkpoint yet; starting from the beginning");
    }
  }
  if (step > config_.steps) {
    throw_usage("training.steps: ", config_.steps, ", but ", run_.out.string(),
                " has been trained for ", step, " steps");
  }
  return step;
}

void Run::step(int64_t index, PrefetchLoader& loader) {
  const auto waiting = std::chrono::steady_clock::now();
  const TrainingBatch batch = loader.next();
  wait_seconds_ += seconds_since(waiting);
  // Dropout draws from LibTorch's generator; tie it to the step so that a resumed run repeats it.
  torch::manual_seed(RandomStream(config_.seed, concat("step-", index), "dropout").next_u64());
  LossTerms terms;
  {
    const AutocastScope autocast(bf16_);
    terms = task_.loss(batch, {config_.seed, index});
  }
  terms.total.backward();
  const double norm = optimizer_.apply(index);
  bad_steps_ = std::isfinite(norm) ? 0 : bad_steps_ + 1;
  if (bad_steps_ >= kMaxBadSteps) {
    throw_failure("the loss was not finite for ", kMaxBadSteps, " steps in a row, at step ", index,
                  "; lower training.optimizer.learning_rate or use training.precision=fp32");
  }
  if ((index + 1) % config_.log_every == 0 || index == 0) log_step(index + 1, terms, norm);
}

void Run::log_step(int64_t done, const LossTerms& terms, double norm) {
  const double elapsed = seconds_since(logged_at_);
  const auto steps = double(std::max<int64_t>(1, done - logged_step_));
  Json line = {{"step", done}, {"loss", terms.total.item<double>()}};
  for (const auto& [name, value] : terms.parts) line[name] = value.item<double>();
  line["learning_rate"] = optimizer_.learning_rate(done - 1);
  line["gradient_norm"] = std::isfinite(norm) ? Json(norm) : Json(nullptr);
  line["seconds_per_step"] = elapsed / steps;
  line["data_wait_share"] = elapsed > 0 ? wait_seconds_ / elapsed : 0.0;
  append_line(run_.out / "metrics.jsonl", line.dump());
  std::ostringstream note;
  note.precision(4);
  note << "loss " << terms.total.item<double>();
  note_ = note.str();
  logged_at_ = std::chrono::steady_clock::now();
  logged_step_ = done;
  wait_seconds_ = 0;
}

void Run::save_checkpoint(int64_t done) {
  if (saved_at_ == done) return;
  checkpoints_.save(done, task_.module(), optimizer_);
  saved_at_ = done;
}

void Run::save_preview(int64_t done) {
  auto indices = dataset_.validation_indices(config_.validation_share);
  if (indices.empty()) indices = dataset_.training_indices(config_.validation_share);
  const auto item = load_training_case(dataset_, indices.front(), task_.needs_ct());
  task_.module().eval();
  const Picture picture = task_.preview(*item);
  task_.module().train();
  make_directories(run_.out / "previews");
  write_png(run_.out / "previews" / concat("step-", done, ".png"), picture);
}

void Run::save_model() const {
  ModelDescription description;
  description.vocabulary = dataset_.vocabulary();
  description.geometry = dataset_.read_case_mask(0).geometry;
  StageEntry entry;
  entry.weights = concat("stage", task_.stage(), ".safetensors");
  entry.config = task_.network_config();
  entry.latent_channels = task_.latent_channels();
  AtomicDirectory directory(run_.out / "model");
  write_safetensors(directory.staging() / entry.weights, {optimizer_.averaged_state(), {}});
  entry.provenance = {{"guidegen", version()},
                      {"training", config_.to_json()},
                      {"cases", dataset_.cases().size()},
                      {"trained_weights_sha256", sha256_file(directory.staging() / entry.weights)}};
  if (!run_.init.empty()) entry.provenance["initial_weights_sha256"] = init_sha256_;
  description.stages[task_.stage()] = entry;
  write_file_atomic(directory.staging() / "model.json", dump_json(to_json(description)));
  directory.commit();
}

void Run::execute() {
  check_directory();
  const int64_t first = start_step();
  make_directories(run_.out);
  write_file_atomic(run_.out / "config.json", dump_json(resolved_config()));
  drop_metrics_after(first);
  saved_at_ = first;
  logged_step_ = first;
  task_.module().train();
  PrefetchLoader::Options options;
  options.batch = config_.batch;
  options.seed = config_.seed;
  options.with_ct = task_.needs_ct();
  PrefetchLoader loader(dataset_, dataset_.training_indices(config_.validation_share), options,
                        first);
  Progress progress(concat("stage ", task_.stage()), config_.steps);
  for (int64_t index = first; index < config_.steps; ++index) {
    step(index, loader);
    const int64_t done = index + 1;
    progress.update(done, note_);
    if (config_.preview_every > 0 && done % config_.preview_every == 0) save_preview(done);
    if (done % config_.checkpoint_every == 0) save_checkpoint(done);
    if (stop_signal() != 0) {
      save_checkpoint(done);
      throw_if_stopped();
    }
  }
  progress.finish();
  save_checkpoint(config_.steps);
  save_model();
  log_info(
      concat("trained ", config_.steps, " steps; the model is in ", (run_.out / "model").string()));
}

}  // namespace

void train(StageTask& task, const Dataset& dataset, const TrainingConfig& config,
           const RunOptions& run) {
  Run(task, dataset, config, run).execute();
}

}  // namespace guidegen
