#include <CLI/CLI.hpp>

#include <memory>

#include "cli/evaluate_fidelity.hpp"
#include "cli/evaluate_image_mask.hpp"
#include "cli/evaluate_words.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/evaluate/anatomy.hpp"
#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string data;
  std::string reference;
  std::string vocabulary;
  std::string prompts;
  std::vector<std::string> by;
  std::string out;
  std::string html;
  bool json = false;
};

Vocabulary vocabulary_of(const Options& options, const std::string& data) {
  return vocabulary_for(options.vocabulary, data);
}

void run_mask_prompt(const Options& options) {
  const Vocabulary vocabulary = vocabulary_of(options, options.data);
  MaskPromptOptions how;
  if (!options.prompts.empty()) how.prompts = read_prompts(options.prompts);
  how.source = options.prompts;
  how.by = options.by;
  CaseBar bar;
  const MaskPromptReport report =
      evaluate_mask_prompt(options.data, vocabulary, how, bar.callback());
  if (!options.html.empty()) {
    write_file_atomic(options.html, to_page(report, "Masks against prompts: " + options.data));
  }
  publish(report, options.out, options.json);
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
  publish(judge_anatomy(masks, reference, vocabulary), options.out, options.json);
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

void add_mask_prompt(CLI::App& evaluate, const char* example) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      add_evaluation(evaluate, "mask-prompt",
                     "Do the tumors of each mask answer its prompt: organ, position, count, size?",
                     options, run_mask_prompt);
  command->add_option("--prompts", options->prompts,
                      "Judge by this prompt file instead of the prompt.json in each folder; ids "
                      "must be those of the cases");
  command
      ->add_option("--by", options->by,
                   "Figures of subgroups too: size (below 16 mm, to 30, above), sex; several with "
                   "commas")
      ->delimiter(',')
      ->check(CLI::IsMember(subgroup_names()));
  command->add_option("--html", options->html,
                      "Write a page with the tables and matrices in color here");
  command->footer(example);
}

void add_anatomy(CLI::App& evaluate) {
  const auto options = std::make_shared<Options>();
  CLI::App* anatomy = add_evaluation(
      evaluate, "anatomy",
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

}  // namespace

void add_evaluate_command(CLI::App& app) {
  CLI::App* evaluate = app.add_subcommand(
      "evaluate", "Judge masks and CT against what was asked, or against a reference");
  evaluate->require_subcommand(1);
  const char* example =
      "Example:\n"
      "  guidegen evaluate mask-prompt --data out --out out/mask-prompt.json\n"
      "  guidegen evaluate mask-prompt --data masks --prompts prompts.json.truth.json --by size "
      "--html report.html";
  evaluate->footer(example);
  add_mask_prompt(*evaluate, example);
  add_anatomy(*evaluate);
  add_fidelity_command(*evaluate);
  add_image_mask_command(*evaluate);
}

}  // namespace guidegen
