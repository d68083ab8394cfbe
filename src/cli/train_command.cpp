#include <torch/utils.h>

#include <CLI/CLI.hpp>

#include <memory>

#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/nn/accelerator.hpp"
#include "guidegen/train/text_training.hpp"
#include "guidegen/train/trainer.hpp"

namespace guidegen {

namespace {

struct TrainOptions {
  int stage = 1;
  std::string config = "demo";
  std::string data;
  std::string out;
  std::string autoencoder;
  TextModelPaths text;
  std::string init;
  std::string device = "auto";
  bool resume = false;
  bool profile = false;
  std::vector<std::string> overrides;
};

std::unique_ptr<StageTask> make_task(const TrainOptions& options, const Json& network,
                                     const Vocabulary& vocabulary, const TrainingConfig& training) {
  if (options.stage == 1)
    return make_synthesizer_task(network, options.config, vocabulary, options.text);
  if (options.stage == 2) return make_autoencoder_task(network, options.config, vocabulary);
  if (options.stage == kSegmenter) return make_segmenter_task(network, options.config, vocabulary);
  const std::filesystem::path cache = training.cache;
  return make_generator_task(network, options.config, vocabulary, options.autoencoder,
                             cache.empty() ? cache : cache / "latents");
}

void run_train(const TrainOptions& options) {
  const Json document = load_preset(options.config, options.stage, options.overrides);
  JsonObject root(document, options.config);
  if (options.stage == kSegmenter) {
    root.choice("stage", {"segmenter"}, "segmenter");
  } else {
    root.integer("stage", options.stage, options.stage, options.stage);
  }
  const Json network = root.has("network") ? root.raw("network") : Json();
  const Json training_json = root.has("training") ? root.raw("training") : Json::object();
  const auto training =
      TrainingConfig::from_json(JsonObject(training_json, options.config, "training"));
  root.finish();
  const World world = detect_world();
  // Before any tensor: LibTorch looks once which kinds of devices there are.
  const at::Device device = resolve_device(options.device, world.local_rank);
  // Of several processes one speaks for all.
  if (!world.first()) set_log_level(LogLevel::kWarning);
  if (device.is_cuda()) {
    log_info(concat("training on ", accelerator()->device_name(device.index())));
  }
  const Dataset dataset = Dataset::open(options.data);
  torch::manual_seed(training.seed);
  const auto task = make_task(options, network, dataset.vocabulary(), training);
  RunOptions run;
  run.out = options.out;
  run.resume = options.resume;
  run.init = options.init;
  run.device = device;
  run.world = world;
  run.profile = options.profile;
  train(*task, dataset, training, run);
}

void add_stage(CLI::App& train, int stage, const std::string& what) {
  auto options = std::make_shared<TrainOptions>();
  options->stage = stage;
  const std::string name = part_name(stage);
  auto* command = train.add_subcommand(name, what);
  command
      ->add_option("--config", options->config,
                   "a shipped preset (demo; for stage3 also baselines/<name>) or a path that "
                   "ends in .json")
      ->capture_default_str();
  command->add_option("--data", options->data, "data set folder")->required();
  command->add_option("--out", options->out, "run directory")->required();
  command->add_flag("--resume", options->resume, "go on from the newest intact checkpoint");
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_flag("--profile", options->profile,
                    "trace a few steps to OUT/trace.json, for Perfetto");
  command->add_option("--init", options->init,
                      "model directory whose weights of this network to start from (fine-tuning)");
  if (stage == 1) {
    command->add_option("--text", options->text.student,
                        "model directory that holds the text encoder, of `guidegen train text`; "
                        "without it texts are not read");
    command->add_option("--teacher", options->text.teacher,
                        "Hugging Face folder of its teacher, to distil from; without it the "
                        "student's own embeddings are used");
  }
  if (stage == 3) {
    command->add_option("--autoencoder", options->autoencoder,
                        "model directory that holds the trained stage 2 (none in pixel space)");
  }
  command->add_option("overrides", options->overrides,
                      "key=value, for instance training.steps=500 or network.unet.blocks=2");
  command->footer(concat(
      "Started by srun or `torchrun --no-python`, every process takes its share of each step;\n"
      "training.batch counts the cases of all (see docs/training-on-a-cluster.md).\n\n"
      "Example:\n  guidegen train ",
      name, " --config demo --data phantoms --out runs/", name,
      stage == 3 ? " --autoencoder runs/stage2/model" : "", " training.steps=2000"));
  command->callback([options] { run_train(*options); });
}

struct TrainTextOptions {
  std::string config = "demo";
  std::string teacher;
  std::string cache;
  std::string out;
  bool resume = false;
  std::vector<std::string> overrides;
};

void run_train_text(const TrainTextOptions& options) {
  const Json document = load_preset(options.config, "text", options.overrides);
  static const Json nothing = Json::object();
  JsonObject root(document, options.config);
  TextRunOptions run;
  run.out = options.out;
  const std::string preset_teacher = root.text("teacher", "");
  run.teacher = options.teacher.empty() ? preset_teacher : options.teacher;
  run.cache = options.cache;
  run.resume = options.resume;
  const Json& network = root.has("network") ? root.raw("network") : nothing;
  const Json& training = root.has("training") ? root.raw("training") : nothing;
  const auto student = StudentConfig::from_json(JsonObject(network, options.config, "network"));
  const auto config =
      TextTrainingConfig::from_json(JsonObject(training, options.config, "training"));
  root.finish();
  train_text(student, config, run);
}

void add_text(CLI::App& train) {
  auto options = std::make_shared<TrainTextOptions>();
  auto* command = train.add_subcommand("text", "Student text encoder: any text -> features");
  command
      ->add_option("--config", options->config,
                   "a shipped preset (demo) or a path that ends in .json")
      ->capture_default_str();
  command->add_option("--teacher", options->teacher,
                      "language model to learn from, a Hugging Face folder of the BERT type; "
                      "without one the prompt's fields alone teach");
  command->add_option("--cache", options->cache,
                      "folder that keeps what the teacher makes of each text");
  command->add_option("--out", options->out, "run directory")->required();
  command->add_flag("--resume", options->resume, "go on from the newest intact checkpoint");
  command->add_option("overrides", options->overrides,
                      "key=value, for instance training.steps=500 or network.layers=4");
  command->footer(
      "Runs on the CPU; needs no data set. `scripts/setup.sh --with-teacher` fetches a teacher.\n\n"
      "Example:\n  guidegen train text --teacher ~/.cache/guidegen/teacher --out runs/text");
  command->callback([options] { run_train_text(*options); });
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto* train = app.add_subcommand("train", "Train a stage, or a judge of them, on a data set");
  train->require_subcommand(1);
  train->footer(
      "Example:\n  guidegen train stage1 --config demo --data phantoms --out runs/stage1");
  add_stage(*train, 1, "Semantic synthesizer: prompt -> mask");
  add_stage(*train, 2, "HDR autoencoder: CT <-> latent");
  add_stage(*train, 3, "Feature generator: mask and prompt -> CT latent");
  add_stage(*train, kSegmenter, "Segmenter: CT -> mask, a judge of generated CTs");
  add_text(*train);
}

}  // namespace guidegen
