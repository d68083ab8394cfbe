#include <CLI/CLI.hpp>

#include <memory>

#include "cli/encoder_option.hpp"
#include "cli/given_labels.hpp"
#include "cli/print.hpp"
#include "cli/sample_parts.hpp"
#include "cli/sample_refine.hpp"
#include "cli/sample_segment.hpp"
#include "cli/sample_stage2.hpp"
#include "cli/sample_stage3.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/generate/case_plan.hpp"
#include "guidegen/generate/gates.hpp"
#include "guidegen/prompt/free_text.hpp"
#include "guidegen/stages/model.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model;
  std::string prompts;
  std::string encoder;
  std::string out;
  CaseSelection selection;
  MaskSampling mask_sampling;
  KeepOptions keep;
  std::string schedule;
  std::string device = "auto";
  bool json = false;
};

Volume draw_mask(const Model& model, const PlannedCase& planned, const Options& options,
                 const std::optional<GivenMask>& given) {
  StepBar bar(planned.id);
  if (!given) {
    return model.sample_mask(planned.prompt, planned.id, planned.prompt.seed, options.mask_sampling,
                             bar.callback());
  }
  return model.complete_mask(planned.prompt, given->given, given->geometry, planned.id,
                             planned.prompt.seed, options.mask_sampling, bar.callback());
}

Json sample_one_mask(const Model& model, const PlannedCase& planned, const Options& options,
                     const std::optional<GivenMask>& given) {
  const Volume mask = draw_mask(model, planned, options, given);
  const GateReport report = check_mask(mask, planned.prompt, model.geometry(), model.vocabulary(),
                                       GateSettings::shipped());
  AtomicDirectory folder(fs::path(options.out) / planned.id);
  write_file_atomic(folder.staging() / "prompt.json", dump_json(to_json(planned.prompt)));
  write_mask(folder.staging() / "mask.nii.gz", mask);
  write_png(folder.staging() / "preview.png", render_preview(nullptr, &mask, model.vocabulary()));
  folder.commit();
  Json gates = Json::array();
  for (const Gate& gate : report.gates) gates.push_back(to_json(gate));
  return {{"id", planned.id},
          {"text", text_of(planned.prompt)},
          {"seed", planned.prompt.seed},
          {"gates_passed", report.passed()},
          {"gates", std::move(gates)},
          {"tumors_found", report.tumors.size()}};
}

void run_stage1(const Options& flags) {
  Options options = flags;
  check_options(options.keep);
  if (!options.schedule.empty()) set_schedule(options.schedule, options.mask_sampling);
  const std::vector<PlannedCase> plan =
      plan_cases(read_resolved(options.prompts, matcher_of(options.encoder)), options.selection,
                 options.prompts);
  const Model model = load_with_stages(options.model, options.device, {1});
  for (const PlannedCase& planned : plan) model.geometry_for(planned.prompt);
  std::optional<GivenMask> given;
  if (options.keep.used()) given = read_given_labels(options.keep, model.vocabulary());
  const OutputFolder folder(options.out);
  Json cases = Json::array();
  std::vector<std::vector<std::string>> rows = {{"case", "tumors", "gates"}};
  for (const PlannedCase& planned : plan) {
    if (!planned.selected) continue;
    throw_if_stopped();
    cases.push_back(sample_one_mask(model, planned, options, given));
    rows.push_back({planned.id, cases.back()["tumors_found"].dump(),
                    cases.back()["gates_passed"].get<bool>() ? "passed" : "failed"});
  }
  if (options.json) return print_json({{"out", options.out}, {"cases", std::move(cases)}});
  print_text(format_table(rows));
}

void add_stage1(CLI::App& parent, const std::shared_ptr<Options>& options) {
  CLI::App* command = parent.add_subcommand("stage1", "Prompts -> masks with previews");
  command->add_option("--model", options->model, "Model directory")->required();
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON document on stdout");
  command->callback([options] { run_stage1(*options); });
  command->add_option("--prompts", options->prompts, "Prompt file")->required();
  add_encoder_option(*command, options->encoder);
  command->add_option("--out", options->out, "Output folder")->required();
  command
      ->add_option(
          "--steps", options->mask_sampling.steps,
          "Steps of a mask, one network call each, votes not counted (default: the model's)")
      ->check(CLI::Range(1, 10000));
  command
      ->add_option("--guidance", options->mask_sampling.guidance,
                   "How strongly masks follow the prompt; 1 is plain")
      ->check(CLI::Range(0.0, 20.0));
  command
      ->add_option("--temperature", options->mask_sampling.temperature,
                   "Of the labels drawn; below 1 prefers likely ones")
      ->check(CLI::Range(0.05, 10.0));
  command->add_option(
      "--schedule", options->schedule,
      "Where the calls lie: even, power:EXPONENT (denser where noise is strong), or "
      "shares of the noise such as 1,0.9,0.5");
  command
      ->add_option("--votes", options->mask_sampling.votes,
                   "Further calls on the finished mask, whose answers are averaged")
      ->check(CLI::Range(0, 1000));
  command->add_flag("!--no-settle", options->mask_sampling.settle,
                    "Leave tumors where they were planned before there was any anatomy");
  command->add_flag("!--draw-last", options->mask_sampling.majority,
                    "Draw the labels of the last step too, instead of taking the likeliest");
  command->add_option("--mask", options->keep.mask, "Mask of which parts are kept");
  command->add_option("--keep", options->keep.keep, "Labels or groups of it that stay exactly")
      ->delimiter(',');
  command->add_option("--region", options->keep.region,
                      "Mask on the same grid: all of --mask stays but where this is not 0");
  command->add_option("--samples", options->selection.samples, "Samples a prompt")
      ->check(CLI::Range(1, 1000));
  command->add_option("--limit", options->selection.limit, "Make the first so many only")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  command->add_option("--only", options->selection.only, "Make this one only; may be repeated")
      ->expected(1)
      ->take_all();
  command->footer(
      "Writes OUT/<id>/{prompt.json, mask.nii.gz, preview.png}, replacing older ones. With --mask\n"
      "the result lies on its grid; its kept tumors count as ones that the prompt asks for.\n\n"
      "Examples:\n"
      "  guidegen sample stage1 --model models/demo --prompts configs/demo/prompts.json --out "
      "masks\n"
      "  guidegen sample stage1 --model models/demo --prompts configs/demo/prompts.json --out "
      "others\\\n"
      "    --mask masks/healthy-man-native/mask.nii.gz --keep bones,lung");
}

}  // namespace

void add_sample_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("sample", "Run one stage of a model, refine a mask or segment a CT");
  command->require_subcommand(1);
  command->footer(
      "Example:\n"
      "  guidegen sample stage1 --model models/demo --prompts prompts.json --out masks");
  add_stage1(*command, std::make_shared<Options>());
  add_sample_stage2(*command);
  add_sample_stage3(*command);
  add_sample_refine(*command);
  add_sample_segment(*command);
}

}  // namespace guidegen
