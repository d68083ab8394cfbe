#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "cli/print.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data;
  std::string vocabulary;
  std::string prompts;
  std::vector<std::string> by;
  std::string out;
  std::string html;
  bool json = false;
};

/// The vocabulary asked for, else that of the data set, else the shipped one.
Vocabulary vocabulary_of(const Options& options) {
  if (!options.vocabulary.empty()) return Vocabulary::load(options.vocabulary);
  const fs::path index = fs::path(options.data) / "dataset.json";
  if (!fs::exists(index)) return Vocabulary::load("torso");
  const Json document = read_json_file(index);
  JsonObject object(document, index.string());
  return Vocabulary::from_json(object.raw("vocabulary"), index.string());
}

void run_mask_prompt(const Options& options) {
  const Vocabulary vocabulary = vocabulary_of(options);
  MaskPromptOptions how;
  if (!options.prompts.empty()) how.prompts = read_prompts(options.prompts);
  how.source = options.prompts;
  how.by = options.by;
  std::unique_ptr<Progress> bar;
  const MaskPromptReport report =
      evaluate_mask_prompt(options.data, vocabulary, how, [&](int64_t done, int64_t total) {
        if (!bar) bar = std::make_unique<Progress>("evaluate", total);
        bar->update(done);
      });
  if (bar) bar->finish();
  const Json document = to_json(report);
  if (!options.out.empty()) write_file_atomic(options.out, dump_json(document));
  if (!options.html.empty()) {
    write_file_atomic(options.html, to_page(report, "Masks against prompts: " + options.data));
  }
  if (options.json) {
    print_json(document);
  } else {
    print_text(to_table(report));
  }
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  CLI::App* evaluate = app.add_subcommand("evaluate", "Judge masks and CT against what was asked");
  evaluate->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* command = evaluate->add_subcommand(
      "mask-prompt", "Do the tumors of each mask answer its prompt: organ, position, count, size?");
  command
      ->add_option(
          "--data", options->data,
          "Folder of cases (<id>/{prompt.json, mask.nii.gz}): a data set, or the output of "
          "guidegen generate")
      ->required();
  command->add_option("--vocabulary", options->vocabulary,
                      "Shipped vocabulary or JSON file; default: that of the data set, or torso");
  command->add_option("--prompts", options->prompts,
                      "Judge by this prompt file instead of the prompt.json in each folder; ids "
                      "must be those of the cases");
  command
      ->add_option("--by", options->by,
                   "Figures of subgroups too: size (below 16 mm, to 30, above), sex; several with "
                   "commas")
      ->delimiter(',')
      ->check(CLI::IsMember(subgroup_names()));
  command->add_option("--out", options->out, "Write the figures and every case as JSON here");
  command->add_option("--html", options->html,
                      "Write a page with the tables and matrices in color here");
  command->add_flag("--json", options->json, "Print that JSON on stdout instead of the table");
  const char* example =
      "Example:\n"
      "  guidegen evaluate mask-prompt --data out --out out/mask-prompt.json\n"
      "  guidegen evaluate mask-prompt --data masks --prompts prompts.json.truth.json --by size "
      "--html report.html";
  command->footer(example);
  evaluate->footer(example);
  command->callback([options] { run_mask_prompt(*options); });
}

}  // namespace guidegen
