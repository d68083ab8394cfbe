#include <CLI/CLI.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "cli/print.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/data/phantom.hpp"
#include "guidegen/generate/case_plan.hpp"
#include "guidegen/prompt/free_text.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string out;
  std::string prompts;
  int64_t count = 10;
  uint64_t seed = 0;
  std::array<int64_t, 3> size{64, 64, 80};
  std::array<double, 3> spacing{6, 6, 6};
  double implants = 0;
  int jobs = 1;
  bool preview = false;
  bool json = false;
};

std::string numbered(const std::string& stem, int64_t number, int digits) {
  std::string text = std::to_string(number);
  if (static_cast<int>(text.size()) < digits) {
    text.insert(0, static_cast<size_t>(digits) - text.size(), '0');
  }
  return stem + text;
}

std::vector<PhantomRequest> random_requests(const Options& options) {
  std::vector<PhantomRequest> requests;
  const std::string stem = concat("phantom-", options.seed, "-");
  for (int64_t i = 1; i <= options.count; ++i) {
    PhantomRequest request;
    request.seed = options.seed;
    request.case_id = numbered(stem, i, 6);
    request.geometry = centered_geometry(options.size, options.spacing);
    request.implants = options.implants;
    requests.push_back(std::move(request));
  }
  return requests;
}

/// One case per prompt and sample; spacing, size and seed of the prompt win over the flags.
std::vector<PhantomRequest> prompted_requests(const Options& options, bool seed_given) {
  std::vector<PhantomRequest> requests;
  for (const PlannedCase& planned :
       plan_cases(read_resolved(options.prompts), {}, options.prompts)) {
    const Prompt& prompt = planned.prompt;
    PhantomRequest request;
    request.seed = seed_given ? options.seed : prompt.seed;
    request.case_id = planned.id;
    request.geometry = centered_geometry(prompt.size.value_or(options.size),
                                         prompt.spacing_mm.value_or(options.spacing));
    request.wish = prompt;
    request.implants = options.implants;
    requests.push_back(std::move(request));
  }
  return requests;
}

/// Draws the cases on `jobs` threads. The first error or signal stops all of them.
class Workshop {
 public:
  Workshop(const Options& options, DatasetWriter& writer, const Vocabulary& vocabulary,
           std::vector<PhantomRequest> requests)
      : options_(options),
        writer_(writer),
        vocabulary_(vocabulary),
        requests_(std::move(requests)),
        bar_("phantoms", static_cast<int64_t>(requests_.size())) {}

  void run() {
    std::vector<std::thread> threads;
    for (int i = 1; i < options_.jobs; ++i) threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    bar_.finish();
    if (error_) std::rethrow_exception(error_);
  }

  int64_t drawn() const { return drawn_; }

 private:
  void work() {
    try {
      while (!failed_) {
        const size_t i = next_++;
        if (i >= requests_.size()) return;
        throw_if_stopped();
        draw(requests_[i]);
        const std::scoped_lock lock(mutex_);
        bar_.update(++finished_, requests_[i].case_id);
      }
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!error_) error_ = std::current_exception();
      failed_ = true;
    }
  }

  void draw(const PhantomRequest& request) {
    if (writer_.has_case(request.case_id)) return;
    const Phantom phantom = make_phantom(request, vocabulary_);
    writer_.add(phantom.prompt, phantom.mask, phantom.ct);
    if (options_.preview) {
      write_png(std::filesystem::path(options_.out) / request.case_id / "preview.png",
                render_preview(&phantom.ct, &phantom.mask, vocabulary_));
    }
    ++drawn_;
  }

  const Options& options_;
  DatasetWriter& writer_;
  const Vocabulary& vocabulary_;
  std::vector<PhantomRequest> requests_;
  Progress bar_;
  std::atomic<size_t> next_{0};
  std::atomic<int64_t> drawn_{0};
  std::atomic<bool> failed_{false};
  int64_t finished_ = 0;
  std::mutex mutex_;
  std::exception_ptr error_;
};

void run_phantom(const Options& options, bool seed_given) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<PhantomRequest> requests =
      options.prompts.empty() ? random_requests(options) : prompted_requests(options, seed_given);
  const auto total = static_cast<int64_t>(requests.size());
  const Vocabulary vocabulary = Vocabulary::load("torso");
  DatasetWriter writer(options.out, vocabulary);
  Workshop workshop(options, writer, vocabulary, std::move(requests));
  workshop.run();
  writer.finish();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.json) {
    Json document = Json::object();
    document["out"] = options.out;
    document["drawn"] = workshop.drawn();
    document["kept"] = total - workshop.drawn();
    document["seconds"] = seconds;
    print_json(document);
  } else {
    print_text(concat(options.out, ": ", workshop.drawn(), " phantoms drawn, ",
                      total - workshop.drawn(), " kept, in ", format_duration(seconds), "\n"));
  }
}

}  // namespace

void add_phantom_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("phantom", "Write a data set of procedural patients: mask, CT and prompt");
  command
      ->add_option("--out", options->out,
                   "Folder of the data set; cases that are there already are kept")
      ->required();
  CLI::Option* count = command->add_option("--count", options->count, "Number of patients")
                           ->check(CLI::Range(int64_t{1}, int64_t{1000000}))
                           ->capture_default_str();
  command
      ->add_option("--prompts", options->prompts,
                   "Draw the patients of this prompt file (JSON or JSON Lines) instead; what a "
                   "prompt leaves open is drawn at random")
      ->excludes(count);
  CLI::Option* seed =
      command
          ->add_option("--seed", options->seed, "Seed; with --prompts, replaces those of the file")
          ->capture_default_str();
  command->add_option("--size", options->size, "Voxels along x, y, z")
      ->type_name("X Y Z")
      ->check(CLI::Range(int64_t{16}, int64_t{1024}))
      ->capture_default_str();
  command->add_option("--spacing", options->spacing, "Voxel size along x, y, z in mm")
      ->type_name("X Y Z")
      ->check(CLI::Range(0.3, 20.0))
      ->capture_default_str();
  command
      ->add_option("--implants", options->implants,
                   "Share of patients with metal: hip prostheses, rods and screws in the spine")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--jobs", options->jobs, "Threads, each at work on a case of its own")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--preview", options->preview, "Add preview.png to each case");
  command->add_flag("--json", options->json, "Print a summary as JSON on stdout");
  command->footer(
      "Example:\n"
      "  guidegen phantom --out data/phantoms --count 1000 --seed 1 --jobs 4\n"
      "  guidegen phantom --out data/asked --prompts configs/demo/prompts.json --preview");
  command->callback([options, seed] { run_phantom(*options, seed->count() > 0); });
}

}  // namespace guidegen
