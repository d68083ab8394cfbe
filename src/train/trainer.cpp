#include "guidegen/train/trainer.hpp"

#include <torch/torch.h>

#include <csignal>
#include <sstream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/failure_report.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/data/case_cache.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/train/checkpoint.hpp"
#include "guidegen/train/collective.hpp"
#include "guidegen/train/gradient_sync.hpp"
#include "guidegen/train/profile.hpp"
#include "guidegen/train/run_directory.hpp"
#include "guidegen/train/step_feed.hpp"
#include "guidegen/train/trace_scope.hpp"
#include "train/step_meter.hpp"
#include "train/validation.hpp"

namespace guidegen {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMaxBadSteps = 20;  // in a row
constexpr int64_t kTraceFrom = 3;     // steps after the start, when caches are warm
constexpr int64_t kTraceSteps = 3;

// One training run; the members are what its steps share.
class Run {
 public:
  Run(StageTask& task, const Dataset& dataset, const TrainingConfig& config, const RunOptions& run);
  void execute();

 private:
  Json resolved_config() const;
  int64_t restore();
  void share_state();
  std::vector<size_t> training_cases() const;
  std::shared_ptr<const TrainingCase> read_case(size_t index);
  PrefetchLoader::Options loading() const;
  void train_from(int64_t first);
  void step(int64_t index, StepFeed& feed);
  void backward(const StepShare& share, int64_t index);
  void log_step(int64_t index, const at::Tensor& norm);
  void check_health(int64_t index) const;
  void save_checkpoint(int64_t done, bool validate);
  void save_preview(int64_t done);
  void save_model();
  void trace(int64_t step_of_run);
  bool writes() const { return run_.world.first(); }

  StageTask& task_;
  const Dataset& dataset_;
  const TrainingConfig& config_;
  const RunOptions& run_;
  Collective collective_;
  std::optional<RunDirectory> directory_;  // of the first process alone
  std::optional<CaseCache> cache_;
  std::string init_sha256_;
  std::optional<Optimizer> optimizer_;
  std::optional<GradientSync> sync_;
  CheckpointStore checkpoints_;
  AutocastState precision_;
  StepMeter meter_;
  std::optional<ProfileSession> profile_;
  int64_t saved_at_ = -1;
  std::string note_;
};

Run::Run(StageTask& task, const Dataset& dataset, const TrainingConfig& config,
         const RunOptions& run)
    : task_(task),
      dataset_(dataset),
      config_(config),
      run_(run),
      collective_(run.world, run.device),
      checkpoints_(run.out, config.keep_checkpoints),
      precision_(use_bf16(config.precision, run.device) ? AutocastState::on(run.device)
                                                        : AutocastState::off()),
      meter_(config.batch) {
  PrefetchLoader::check(loading());
  if (!config.cache.empty()) cache_.emplace(dataset, config.cache);
  if (writes()) {
    // First, so that a model that does not fit leaves no folder behind.
    if (!run.init.empty()) init_sha256_ = start_from(task, run.init, dataset.vocabulary().size());
    directory_.emplace(run.out, resolved_config(), run.resume);
  }
  task.checkpoint_activations(config.activation_checkpointing);
}

Json Run::resolved_config() const {
  Json config = {{"stage", part_id(task_.stage())},
                 {"network", task_.network_config()},
                 {"training", config_.to_json()}};
  if (!run_.init.empty()) config["init"] = run_.init.string();
  if (!task_.sources().is_null()) config["sources"] = task_.sources();
  return config;
}

// Brings network and optimizer to where the run starts, on the device and alike in all processes;
// gives the steps done before.
int64_t Run::restore() {
  const bool fresh = !run_.resume || checkpoints_.empty();
  if (writes() && fresh) {
    if (run_.resume) log_info("no checkpoint yet; starting from the beginning");
    task_.measure([this](size_t index) { return read_case(index); }, training_cases(),
                  config_.seed);
  }
  task_.to(run_.device);
  // Shapes repeat step after step, so it pays to time the algorithms of cuDNN once. (Not when
  // sampling: which one wins may change from run to run, and with it the last digits.)
  if (run_.device.is_cuda()) at::globalContext().setBenchmarkCuDNN(true);
  optimizer_.emplace(task_.module(), config_.optimizer, config_.steps);
  int64_t done = 0;
  if (writes() && !fresh) {
    done = checkpoints_.load_newest(task_.module(), *optimizer_);
    log_info(concat("resuming after step ", done));
    if (done > config_.steps) {
      throw_usage("training.steps: ", config_.steps, ", but ", run_.out.string(),
                  " has been trained for ", done, " steps");
    }
  }
  done = collective_.broadcast(done);
  share_state();
  return done;
}

// Gives all processes what the first one holds.
void Run::share_state() {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : state_of(task_.module())) tensors.push_back(tensor);
  for (const auto& [name, tensor] : optimizer_->state()) tensors.push_back(tensor);
  collective_.broadcast(tensors);
  sync_.emplace(optimizer_->parameters(), collective_);
}

std::vector<size_t> Run::training_cases() const {
  return dataset_.training_indices(config_.validation_share);
}

std::shared_ptr<const TrainingCase> Run::read_case(size_t index) {
  return cache_ ? cache_->load(index, task_.needs_ct())
                : load_training_case(dataset_, index, task_.needs_ct());
}

// Each case counts the same, however the step is split: a micro-batch is weighted by its cases, and
// the mean over processes that follows is undone by their number.
void Run::backward(const StepShare& share, int64_t index) {
  for (size_t i = 0; i < share.micro_batches.size(); ++i) {
    auto inputs = share.micro_batches[i];
    const double cases = double(inputs.cases.size()) / double(share.global_size);
    inputs.to(run_.device);
    // Dropout draws from LibTorch's generator; tie it to the step so that a resumed run repeats it.
    const auto purpose = concat("dropout/", run_.world.rank, "/", i);
    torch::manual_seed(RandomStream(config_.seed, concat("step-", index), purpose).next_u64());
    LossTerms terms;
    {
      const TraceScope scope("forward");
      const AutocastScope autocast(precision_);
      terms = task_.loss(inputs);
    }
    meter_.add(terms, cases);
    const TraceScope scope("backward");
    sync_->before_backward(i + 1 == share.micro_batches.size());
    const double weight = cases * double(run_.world.size);
    (weight == 1.0 ? terms.total : terms.total * weight).backward();
  }
}

void Run::step(int64_t index, StepFeed& feed) {
  StepShare share;
  {
    const TraceScope scope("wait for data");
    const auto waiting = meter_.waiting();
    share = feed.next();
  }
  backward(share, index);
  const TraceScope scope("optimizer");
  const auto norm = optimizer_->apply(index);
  task_.end_step(collective_, RandomStream(config_.seed, concat("step-", index), "end of step"));
  if ((index + 1) % config_.log_every == 0 || index == 0) log_step(index, norm);
  meter_.end_step();
}

void Run::check_health(int64_t index) const {
  if (optimizer_->bad_steps() < kMaxBadSteps) return;
  throw_failure("the loss was not finite for ", kMaxBadSteps, " steps in a row, up to step ",
                index + 1,
                "; lower training.optimizer.learning_rate or use training.precision=fp32");
}

void Run::log_step(int64_t index, const at::Tensor& norm) {
  Json line = {{"step", index + 1}};
  line.update(meter_.report(collective_, run_.device));
  line["learning_rate"] = optimizer_->learning_rate(index);
  const auto gradient_norm = norm.item<double>();
  line["gradient_norm"] = std::isfinite(gradient_norm) ? Json(gradient_norm) : Json(nullptr);
  check_health(index);
  if (!writes()) return;
  directory_->add_metrics(line);
  std::ostringstream note;
  note.precision(4);
  note << "loss ";
  if (line["loss"].is_null()) {
    note << "not finite";  // one such step is skipped
  } else {
    note << line["loss"].get<double>();
  }
  note << ", lr " << line["learning_rate"].get<double>();
  note_ = note.str();
}

void Run::save_checkpoint(int64_t done, bool validate) {
  if (saved_at_ == done) return;
  check_health(done - 1);
  std::optional<double> loss;
  if (validate) {
    auto indices = dataset_.validation_indices(config_.validation_share);
    indices.resize(std::min(indices.size(), static_cast<size_t>(config_.validation_cases)));
    loss = validation_loss(
        task_, [this](size_t index) { return read_case(index); }, indices, config_.seed,
        *optimizer_, collective_, run_.device, precision_);
  }
  if (writes()) {
    if (loss) directory_->add_metrics({{"step", done}, {"validation_loss", *loss}});
    try {
      checkpoints_.save(done, task_.module(), *optimizer_, loss);
    } catch (const Error& error) {
      throw_failure(error.what(),
                    saved_at_ > 0 ? concat("; step ", saved_at_, " is saved: make room, then ")
                                  : std::string("; make room, then "),
                    "run again with --resume");
    }
  }
  saved_at_ = done;
}

void Run::save_preview(int64_t done) {
  if (!writes()) return;
  auto indices = dataset_.validation_indices(config_.validation_share);
  if (indices.empty()) indices = training_cases();
  const auto item = read_case(indices.front());
  task_.module().eval();
  const Picture picture = task_.preview(*item);
  task_.module().train();
  directory_->add_preview(picture, done);
}

void Run::save_model() {
  ModelDescription description;
  description.vocabulary = dataset_.vocabulary();
  description.geometry = dataset_.read_case_mask(0).geometry;
  StageEntry entry;
  entry.weights = part_name(task_.stage()) + ".safetensors";
  entry.config = task_.network_config();
  entry.latent_channels = task_.latent_channels();
  AtomicDirectory directory(run_.out / "model");
  const auto weights = optimizer_->averaged_state();
  write_safetensors(directory.staging() / entry.weights, {weights_to_keep(task_, weights), {}});
  load_state(task_.module(), weights, entry.weights);  // training is over
  task_.describe(
      entry, [this](size_t index) { return read_case(index); }, training_cases());
  Json training = config_.to_json();
  training.erase("cache");  // a path of this machine, which means nothing where the model goes
  entry.provenance = {{"guidegen", version()},
                      {"training", training},
                      {"cases", dataset_.cases().size()},
                      {"trained_weights_sha256", sha256_file(directory.staging() / entry.weights)}};
  if (!run_.init.empty()) {
    entry.provenance["initial_weights_sha256"] = init_sha256_;
  }
  description.stages[task_.stage()] = entry;
  description.text = task_.copy_text_encoder(directory.staging());
  write_file_atomic(directory.staging() / "model.json", dump_json(to_json(description)));
  directory.commit();
}

void Run::trace(int64_t step_of_run) {
  if (!run_.profile || !writes()) return;
  if (step_of_run == kTraceFrom) {
    profile_.emplace(run_.out / "trace.json", run_.device.is_cuda());
  } else if (step_of_run == kTraceFrom + kTraceSteps) {
    try {
      profile_->stop();
      log_info(concat("trace of ", kTraceSteps, " steps: ", (run_.out / "trace.json").string(),
                      " (open it in Perfetto)"));
    } catch (const Error& error) {
      log_warning(error.what());  // no reason to lose the training
    }
  }
}

PrefetchLoader::Options Run::loading() const {
  PrefetchLoader::Options loading;
  loading.batch = config_.batch;
  loading.seed = config_.seed;
  loading.with_ct = task_.needs_ct();
  loading.rank = run_.world.rank;
  loading.world_size = run_.world.size;
  loading.workers = static_cast<int>(config_.workers);
  loading.cache_directory = config_.cache;
  return loading;
}

void Run::train_from(int64_t first) {
  PrefetchLoader loader(dataset_, training_cases(), loading(), first);
  StepFeed feed(loader, task_, {config_.seed, config_.micro_batch, run_.device.is_cuda()}, first);
  std::optional<Progress> progress;
  if (writes()) progress.emplace(part_title(task_.stage()), config_.steps);
  meter_.start();
  for (int64_t index = first; index < config_.steps; ++index) {
    trace(index - first);
    step(index, feed);
    const int64_t done = index + 1;
    if (progress) progress->update(done, note_);
    if (config_.preview_every > 0 && done % config_.preview_every == 0) save_preview(done);
    if (done % config_.checkpoint_every == 0) save_checkpoint(done, true);
    if (collective_.any(stop_signal() != 0)) {
      save_checkpoint(done, false);  // whoever stops us may not wait for a validation
      collective_.barrier();         // launchers kill the others once the first process is gone
      throw Stopped{stop_signal() != 0 ? stop_signal() : SIGTERM};
    }
  }
  if (progress) progress->finish();
}

void Run::execute() {
  const int64_t first = restore();
  if (writes()) directory_->begin(first);
  saved_at_ = first;
  task_.module().train();
  train_from(first);
  profile_.reset();
  save_checkpoint(config_.steps, true);
  if (!writes()) return;
  save_model();
  log_info(
      concat("trained ", config_.steps, " steps; the model is in ", (run_.out / "model").string()));
}

[[noreturn]] void fail_out_of_memory(const RunOptions& run, std::string_view what) {
  throw_failure("out of memory on ", run.device.str(), " while training (", what,
                "); lower training.micro_batch, set training.activation_checkpointing=[0] or use "
                "smaller crops, then run again with --resume");
}

// What Gloo and NCCL say when a process that they talk to is gone.
bool speaks_of_a_lost_process(const std::string& text) {
  for (const auto* word :
       {"gloo", "Connection reset", "Connection closed", "Broken pipe", "NCCL"}) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

[[noreturn]] void explain(const std::string& text, const RunOptions& run) {
  if (speaks_of_cpu_memory(text)) fail_out_of_memory(run, first_line(text));
  if (!run.world.alone() && speaks_of_a_lost_process(text)) {
    throw_failure("process ", run.world.rank, " of ", run.world.size,
                  " lost another one, whose own message says why (", first_line(text),
                  "); start all of them again with --resume");
  }
  throw;
}

}  // namespace

void train(StageTask& task, const Dataset& dataset, const TrainingConfig& config,
           const RunOptions& run) {
  try {
    Run(task, dataset, config, run).execute();
  } catch (const Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    fail_out_of_memory(run, first_line(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    explain(error.what_without_backtrace(), run);
  } catch (const std::bad_alloc&) {
    fail_out_of_memory(run, "the machine's memory is used up");
  } catch (const std::exception& error) {
    explain(error.what(), run);
  }
}

}  // namespace guidegen
