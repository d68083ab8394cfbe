#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <memory>

#include "cli/print.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/evaluate/anatomy.hpp"
#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data;
  std::string reference;
  std::string vocabulary;
  std::string out;
  bool json = false;
};

/// The vocabulary asked for, else that of the data set, else the shipped one.
Vocabulary vocabulary_of(const Options& options, const std::string& data) {
  if (!options.vocabulary.empty()) return Vocabulary::load(options.vocabulary);
  const fs::path index = fs::path(data) / "dataset.json";
  if (!fs::exists(index)) return Vocabulary::load("torso");
  const Json document = read_json_file(index);
  JsonObject object(document, index.string());
  return Vocabulary::from_json(object.raw("vocabulary"), index.string());
}

/// A bar that appears with the first case.
class CaseBar {
 public:
  std::function<void(int64_t, int64_t)> callback() {
    return [this](int64_t done, int64_t total) {
      if (!bar_) bar_ = std::make_unique<Progress>("evaluate", total);
      bar_->update(done);
      if (done == total) bar_->finish();
    };
  }

 private:
  std::unique_ptr<Progress> bar_;
};

template <typename Report>
void publish(const Report& report, const Options& options) {
  const Json document = to_json(report);
  if (!options.out.empty()) write_file_atomic(options.out, dump_json(document));
  if (options.json) {
    print_json(document);
  } else {
    print_text(to_table(report));
  }
}

void run_mask_prompt(const Options& options) {
  const Vocabulary vocabulary = vocabulary_of(options, options.data);
  CaseBar bar;
  publish(evaluate_mask_prompt(options.data, vocabulary, bar.callback()), options);
}

void run_anatomy(const Options& options) {
  const Vocabulary vocabulary = vocabulary_of(options, options.data);
  std::vector<MaskMeasure> reference;
  if (!options.reference.empty()) {
    CaseBar bar;
    reference =
        measure_masks(options.reference, vocabulary_of(options, options.reference), bar.callback());
  }
  CaseBar bar;
  const std::vector<MaskMeasure> masks = measure_masks(options.data, vocabulary, bar.callback());
  publish(judge_anatomy(masks, reference, vocabulary), options);
}

CLI::App* add_evaluation(CLI::App& evaluate, const char* name, const char* help,
                         const std::shared_ptr<Options>& options, void (*run)(const Options&)) {
  CLI::App* command = evaluate.add_subcommand(name, help);
  command
      ->add_option(
          "--data", options->data,
          "Folder of cases (<id>/{prompt.json, mask.nii.gz}): a data set, or the output of "
          "guidegen generate")
      ->required();
  command->add_option("--vocabulary", options->vocabulary,
                      "Shipped vocabulary or JSON file; default: that of the data set, or torso");
  command->add_option("--out", options->out, "Write the figures as JSON here");
  command->add_flag("--json", options->json, "Print that JSON on stdout instead of the table");
  command->callback([options, run] { run(*options); });
  return command;
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  CLI::App* evaluate = app.add_subcommand("evaluate", "Judge masks and CT against what was asked");
  evaluate->require_subcommand(1);
  const char* example =
      "Example:\n"
      "  guidegen evaluate mask-prompt --data out --out out/mask-prompt.json";
  evaluate->footer(example);
  add_evaluation(*evaluate, "mask-prompt",
                 "Do the tumors of each mask answer its prompt: organ, position, count, size?",
                 std::make_shared<Options>(), run_mask_prompt)
      ->footer(example);
  const auto options = std::make_shared<Options>();
  CLI::App* anatomy = add_evaluation(
      *evaluate, "anatomy",
      "Are the organs plausible: there, of usual volume, in one piece, smooth, in order?", options,
      run_anatomy);
  anatomy->add_option("--reference", options->reference,
                      "Folder of cases that masks should be like; default: published volumes of "
                      "adults");
  anatomy->footer(
      "ratio: of median volumes to the reference's; W1: Wasserstein-1 distance of the volumes in\n"
      "standard deviations of the reference; connected: share of the largest piece; surface: area\n"
      "over that of a ball of the same volume (1.5 for a ball of fine voxels). Compare surfaces "
      "at\n"
      "one spacing only.\n\n"
      "Example:\n"
      "  guidegen evaluate anatomy --data out --reference data/phantoms");
}

}  // namespace guidegen
