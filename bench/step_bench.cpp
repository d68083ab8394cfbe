// guidegen_step_bench: times whole training steps, or sampling, of one stage on made-up patients
// and prints one JSON line.
//
//   guidegen_step_bench --stage 1|2|3 [--preset demo|file.json] [--size X Y Z] [--batch N]
//     [--steps N] [--warmup N] [--threads N] [--precision fp32|bf16] [--device cpu|cuda]
//     [--mode train|sample] [--inputs fresh|ready]
//
// A training step is what the trainer does: loss, backward and Optimizer::apply. With `--inputs
// fresh` it also prepares each step (draws noise and times, rasterizes plans), which the trainer
// does in the background; with `ready` it starts from what one preparation gave, as
// pytorch_steps.py does. Sampling is of one case, --sampling-steps network calls. Seconds are of
// one step of training, or of one whole case; `peak_mib` is of the GPU's memory where there is one.
#include <torch/torch.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/memory.hpp"
#include "guidegen/data/phantom.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/nn/accelerator.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/stages/autoencoder_training.hpp"
#include "guidegen/stages/generator_training.hpp"
#include "guidegen/stages/model.hpp"
#include "guidegen/stages/synthesizer.hpp"
#include "guidegen/train/training_config.hpp"

namespace guidegen::bench {
namespace {

constexpr uint64_t kSeed = 1;
constexpr int64_t kTotalSteps = 1000;  // of the learning rate's schedule

struct Options {
  int stage = 1;
  std::string preset = "demo";
  std::vector<int64_t> size{64, 64, 80};
  int64_t batch = 2, steps = 10, warmup = 2, threads = 1, sampling_steps = 0;
  std::string precision = "fp32", device = "cpu", mode = "train", inputs = "fresh";
};

/// What one stage offers to be timed.
struct Subject {
  std::shared_ptr<torch::nn::Module> module;
  std::function<StepInputs(int64_t step)> prepare;
  std::function<LossTerms(const StepInputs&)> loss;
  std::function<void()> sample;
  std::vector<int64_t> shape;  ///< of a training batch, [B,D,H,W]
  int64_t sampling_steps = 1;
};

using Cases = TrainingBatch;

/// Phantoms in memory as the loader hands them out. Each wants a tumor, as the data sets have.
Cases make_cases(const Options& options, const Vocabulary& vocabulary) {
  Cases cases;
  for (int64_t i = 0; i < options.batch; ++i) {
    PhantomRequest request;
    request.seed = kSeed;
    request.case_id = concat("bench-", i);
    request.geometry =
        centered_geometry({options.size[0], options.size[1], options.size[2]}, {6, 6, 6});
    request.wish.tumors = std::vector<TumorRequest>(1);
    request.wish.tumors->front().organ = TumorOrgan::kLiver;
    const Phantom phantom = make_phantom(request, vocabulary);
    auto item = std::make_shared<TrainingCase>();
    item->id = request.case_id;
    item->prompt = phantom.prompt;
    item->geometry = phantom.mask.geometry;
    item->mask = phantom.mask.data.select(0, 0).contiguous();
    item->ct = phantom.ct.data.select(0, 0).to(at::kShort);
    item->tumors = find_tumors(phantom.mask, vocabulary);
    cases.push_back(item);
  }
  return cases;
}

std::vector<int64_t> shape_of(const Cases& cases) {
  const auto& mask = cases.front()->mask;
  return {int64_t(cases.size()), mask.size(0), mask.size(1), mask.size(2)};
}

// As the trainer and the program that samples have their networks. Those that sample are frozen.
template <typename Network>
void move(Network& network, const Options& options, at::Device device) {
  network.to(device);
  if (device.is_cuda()) order_channels_last(network);
  if (options.mode == "train") return;
  for (auto& parameter : network.parameters()) parameter.set_requires_grad(false);
}

// --- stage I ------------------------------------------------------------------------------------

Subject synthesizer_subject(const Options& options, JsonObject network,
                            const Vocabulary& vocabulary, at::Device device) {
  const auto config = SynthesizerConfig::from_json(network);
  Synthesizer synthesizer(config, vocabulary.size(), vocabulary.tumor());
  move(*synthesizer, options, device);
  const auto cases = make_cases(options, vocabulary);
  Subject subject;
  subject.module = synthesizer.ptr();
  subject.shape = shape_of(cases);
  subject.sampling_steps = config.sampling_steps;
  subject.prepare = [=](int64_t step) { return synthesizer->prepare(cases, {kSeed, step}); };
  subject.loss = [=](const StepInputs& inputs) mutable { return synthesizer->loss(inputs); };
  subject.sample = [=, calls = options.sampling_steps]() mutable {
    MaskRequest request;
    request.prompt = cases.front()->prompt;
    request.geometry = cases.front()->geometry;
    request.sampling.steps = calls > 0 ? calls : config.sampling_steps;
    request.sampling.votes = 0;  // calls of one kind, as many as the other side makes
    request.graphed = worth_graphs(device, request.geometry);
    synthesizer->sample(request);
  };
  return subject;
}

// --- stage II -----------------------------------------------------------------------------------

Subject autoencoder_subject(const Options& options, JsonObject network,
                            const Vocabulary& vocabulary, at::Device device) {
  const auto config = HdrAutoencoderConfig::from_json(network);
  AutoencoderTraining training(HdrAutoencoder(config, vocabulary.size()), vocabulary.tumor());
  move(*training, options, device);
  const auto cases = make_cases(options, vocabulary);
  Subject subject;
  subject.module = training.ptr();
  subject.shape = {options.batch, config.crop, config.crop, config.crop};
  subject.prepare = [=](int64_t step) { return training->prepare(cases, {kSeed, step}); };
  subject.loss = [=](const StepInputs& inputs) mutable { return training->loss(inputs); };
  subject.sample = [=]() mutable {  // both ways: CT -> latent -> CT
    const auto& item = *cases.front();
    const Volume ct{item.ct.to(at::kFloat).unsqueeze(0), item.geometry};
    const Volume mask{item.mask.unsqueeze(0), item.geometry};
    reconstruct_ct(training->network(), ct, &mask);
  };
  return subject;
}

// --- stage III ----------------------------------------------------------------------------------

Subject generator_subject(const Options& options, JsonObject network, const Vocabulary& vocabulary,
                          at::Device device) {
  constexpr int64_t kLatents = 4, f = HdrAutoencoderImpl::kDownsampling;
  const auto config = FeatureGeneratorConfig::from_json(network);
  FeatureGenerator generator(config, vocabulary, kLatents);
  GeneratorTraining training(generator);
  move(*training, options, device);
  const auto cases = make_cases(options, vocabulary);
  const auto shape = shape_of(cases);
  RandomStream stream(kSeed, "bench", "latents");
  const auto latents =
      random_normal(stream, {shape[0], kLatents, shape[1] / f, shape[2] / f, shape[3] / f})
          .to(device);
  Subject subject;
  subject.module = training.ptr();
  subject.shape = shape;
  subject.sampling_steps = config.sampling_steps;
  subject.prepare = [=](int64_t step) { return training->prepare(cases, {kSeed, step}); };
  subject.loss = [=](const StepInputs& inputs) mutable { return training->loss(inputs, latents); };
  subject.sample = [=, calls = options.sampling_steps]() mutable {
    LatentRequest request;
    request.prompt = cases.front()->prompt;
    request.mask = {cases.front()->mask.unsqueeze(0), cases.front()->geometry};
    request.steps = calls > 0 ? calls : config.sampling_steps;
    request.graphed = worth_graphs(device, request.mask.geometry);
    generator->sample(request);
  };
  return subject;
}

Subject make_subject(const Options& options, const Json& network, at::Device device) {
  const auto vocabulary = Vocabulary::load("torso");
  JsonObject object(network, options.preset, "network");
  if (options.stage == 1) return synthesizer_subject(options, object, vocabulary, device);
  if (options.stage == 2) return autoencoder_subject(options, object, vocabulary, device);
  return generator_subject(options, object, vocabulary, device);
}

// --- measuring ----------------------------------------------------------------------------------

/// A line "name: N kB" of /proc/self/status, in MiB.
double status_mib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stod(line.substr(name.size() + 1)) / 1024.0;
  }
  return 0;
}

/// Of a GPU, the most that tensors hold, the network's included. Of the CPU, by how much the
/// process grows beyond what is resident at the start: LibTorch itself is most of that.
class MemoryPeak {
 public:
  explicit MemoryPeak(at::Device device) : device_(device) {
    if (device_.is_cuda()) {
      accelerator()->reset_peak_memory(device_.index());
    } else {
      before_ = status_mib("VmRSS");
      std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM starts again (Linux, proc(5))
    }
  }

  double mib() const {
    if (!device_.is_cuda()) return status_mib("VmHWM") - before_;
    constexpr double kMib = 1024 * 1024;
    return double(accelerator()->memory(device_.index()).peak) / kMib;
  }

 private:
  at::Device device_;
  double before_ = 0;
};

void wait_for(at::Device device) {
  if (device.is_cuda()) accelerator()->synchronize();
}

/// Of each call: on the clock, and of the processor in all threads (which other programs on the
/// machine disturb less).
struct Times {
  std::vector<double> seconds, cpu_seconds;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

Times time_calls(const Options& options, at::Device device,
                 const std::function<void(int64_t)>& body) {
  Times times;
  wait_for(device);
  for (int64_t step = 0; step < options.warmup + options.steps; ++step) {
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    body(step);
    wait_for(device);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (step < options.warmup) continue;
    times.seconds.push_back(passed.count());
    times.cpu_seconds.push_back(cpu_seconds() - cpu);
  }
  return times;
}

double minimum(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

Json measure(const Options& options) {
  const at::Device device = resolve_device(options.device);
  torch::set_num_threads(int(options.threads));
  torch::manual_seed(kSeed);
  const Json preset = load_preset(options.preset, options.stage, {});
  const Json network = preset.value("network", Json::object());
  Subject subject = make_subject(options, network, device);
  const Json training_json = preset.value("training", Json::object());
  const auto training =
      TrainingConfig::from_json(JsonObject(training_json, options.preset, "training"));
  int64_t parameters = 0;
  for (const auto& item : subject.module->named_parameters()) {
    // The planner is fitted once, before the first step; no step touches it.
    if (item.key().rfind("planner.", 0) != 0) parameters += item.value().numel();
  }
  const auto precision =
      options.precision == "bf16" ? AutocastState::on(device) : AutocastState::off();
  const MemoryPeak memory(device);
  Times times;
  if (options.mode == "train") {
    if (device.is_cuda()) at::globalContext().setBenchmarkCuDNN(true);  // as the trainer does
    subject.module->train();
    Optimizer optimizer(*subject.module, training.optimizer, kTotalSteps);
    StepInputs inputs;
    times = time_calls(options, device, [&](int64_t step) {
      if (step == 0 || options.inputs == "fresh") {
        inputs = subject.prepare(step);
        inputs.to(device);
      }
      LossTerms terms;
      {
        const AutocastScope autocast(precision);
        terms = subject.loss(inputs);
      }
      terms.total.backward();
      optimizer.apply(step);
    });
  } else {
    subject.module->eval();
    times = time_calls(options, device, [&](int64_t) {
      const AutocastScope autocast(precision);
      subject.sample();
    });
    subject.shape = {1, options.size[2], options.size[1], options.size[0]};
  }
  return {{"program", "guidegen"},
          {"stage", options.stage},
          {"mode", options.mode},
          {"inputs", options.inputs},
          {"preset", options.preset},
          {"shape", subject.shape},
          {"device", options.device},
          {"precision", options.precision},
          {"threads", options.threads},
          {"steps", options.steps},
          {"sampling_steps",
           options.sampling_steps > 0 ? options.sampling_steps : subject.sampling_steps},
          {"sampling_steps_of_preset", subject.sampling_steps},
          {"parameters", parameters},
          {"seconds_median", median(times.seconds)},
          {"seconds_min", minimum(times.seconds)},
          {"cpu_seconds_min", minimum(times.cpu_seconds)},
          {"seconds", times.seconds},
          {"peak_mib", memory.mib()}};
}

Options parse(CLI::App& app, int argc, char** argv) {
  Options o;
  app.add_option("--stage", o.stage)->check(CLI::Range(1, 3))->required();
  app.add_option("--preset", o.preset, "a shipped preset or a path that ends in .json");
  app.add_option("--size", o.size, "voxels along x, y, z")->expected(3);
  app.add_option("--batch", o.batch)->check(CLI::PositiveNumber);
  app.add_option("--steps", o.steps)->check(CLI::PositiveNumber);
  app.add_option("--warmup", o.warmup)->check(CLI::NonNegativeNumber);
  app.add_option("--threads", o.threads)->check(CLI::PositiveNumber);
  app.add_option("--sampling-steps", o.sampling_steps)->check(CLI::NonNegativeNumber);
  app.add_option("--precision", o.precision)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--device", o.device)->check(CLI::IsMember({"cpu", "cuda"}));
  app.add_option("--mode", o.mode)->check(CLI::IsMember({"train", "sample"}));
  app.add_option("--inputs", o.inputs)->check(CLI::IsMember({"fresh", "ready"}));
  app.parse(argc, argv);
  return o;
}

}  // namespace
}  // namespace guidegen::bench

int main(int argc, char** argv) {
  guidegen::keep_freed_memory();  // as the program does
  CLI::App app("Times steps of one stage and prints one JSON line.");
  try {
    std::cout << guidegen::bench::measure(guidegen::bench::parse(app, argc, argv)).dump()
              << std::endl;
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "guidegen_step_bench: " << error.what() << std::endl;
    return 1;
  }
}
