#include <CLI/CLI.hpp>

#include <memory>

#include "cli/ct_options.hpp"
#include "cli/encoder_option.hpp"
#include "cli/print.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/memory_size.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/generate/pipeline.hpp"
#include "guidegen/nn/accelerator.hpp"
#include "guidegen/prompt/free_text.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string model;
  std::string prompts;
  std::string encoder;
  GenerateOptions generate;
  CaseSelection selection;
  MaskSampling mask;
  CtOptions ct;
  std::string gates;
  std::string format = "nifti";
  bool segmentation = false;
  std::string device = "auto";
  bool dry_run = false;
  bool strict = false;
  bool json = false;
};

std::string name_of(CaseState state) {
  if (state == CaseState::kDone) return "done";
  return state == CaseState::kKept ? "kept" : "failed";
}

double seconds_a_case(const GenerateSummary& summary) {
  double seconds = 0;
  for (const CaseOutcome& outcome : summary.cases) {
    if (outcome.state == CaseState::kDone) seconds += outcome.seconds;
  }
  const int64_t done = summary.count(CaseState::kDone);
  return done > 0 ? seconds / static_cast<double>(done) : 0;
}

Json to_json(const GenerateSummary& summary, const std::string& out) {
  Json cases = Json::array();
  for (const CaseOutcome& outcome : summary.cases) {
    Json entry = {{"id", outcome.id}, {"state", name_of(outcome.state)}};
    if (outcome.state == CaseState::kFailed) {
      entry["error"] = outcome.error;
    } else {
      entry["gates_passed"] = outcome.gates_passed;
    }
    if (outcome.state == CaseState::kDone) {
      entry["attempts"] = outcome.attempts;
      entry["ct_attempts"] = outcome.ct_attempts;
      entry["seconds"] = outcome.seconds;
    }
    cases.push_back(std::move(entry));
  }
  return {{"out", out},
          {"done", summary.count(CaseState::kDone)},
          {"kept", summary.count(CaseState::kKept)},
          {"retried", summary.retried()},
          {"gates_failed", summary.gates_failed()},
          {"failed", summary.count(CaseState::kFailed)},
          {"seconds_a_case", seconds_a_case(summary)},
          {"seconds", summary.seconds},
          {"peak_resident_bytes", summary.peak_resident_bytes},
          {"peak_gpu_bytes", summary.peak_gpu_bytes},
          {"cases", std::move(cases)}};
}

std::string to_table(const GenerateSummary& summary) {
  const int64_t done = summary.count(CaseState::kDone);
  std::vector<std::vector<std::string>> table = {
      {"done", "kept", "retried", "gates failed", "failed", "time a case", "time", "memory"},
      {std::to_string(done), std::to_string(summary.count(CaseState::kKept)),
       std::to_string(summary.retried()), std::to_string(summary.gates_failed()),
       std::to_string(summary.count(CaseState::kFailed)),
       done > 0 ? format_duration(seconds_a_case(summary)) : "-", format_duration(summary.seconds),
       format_memory_size(summary.peak_resident_bytes)}};
  if (summary.peak_gpu_bytes > 0) {
    table[0].push_back("GPU memory");
    table[1].push_back(format_memory_size(summary.peak_gpu_bytes));
  }
  return format_table(table);
}

std::string plan_table(const Json& plan) {
  std::vector<std::vector<std::string>> rows = {
      {"case", "voxels", "spacing (mm)", "seed", "state"}};
  for (const Json& entry : plan["cases"]) {
    rows.push_back({entry["id"], format_size(entry["size"].get<std::array<int64_t, 3>>()),
                    format_numbers(entry["spacing_mm"].get<std::array<double, 3>>()),
                    entry["seed"].dump(), entry["state"]});
  }
  std::string doubts;
  for (const Json& entry : plan["cases"]) {
    for (const Json& doubt : entry["doubts"]) {
      doubts += concat(entry["id"].get<std::string>(), ": ", doubt.get<std::string>(), "\n");
    }
  }
  return format_table(rows) + doubts +
         concat(plan["cases"].size(), " cases, about ", plan["memory_mib"].get<int64_t>(),
                " MiB of memory; nothing was written\n");
}

/// Exit code 3 once everything is written and reported.
void check_outcome(const GenerateSummary& summary, const Options& options) {
  const std::string out = options.generate.out.string();
  if (const int64_t failed = summary.count(CaseState::kFailed); failed > 0) {
    throw Error(ErrorKind::kPartial, concat(out, ": ", failed, " of ", summary.cases.size(),
                                            " cases failed; the same command tries them again"));
  }
  const int64_t gates_failed = summary.gates_failed();
  if (gates_failed == 0) return;
  const std::string message = concat(out, ": ", gates_failed, " of ", summary.cases.size(),
                                     " cases fail a gate, see manifest.jsonl");
  if (options.strict) throw Error(ErrorKind::kPartial, message);
  log_warning(message);
}

void run(Options& options) {
  const World world = detect_world();
  // Of several processes one speaks for all.
  if (!world.first()) set_log_level(LogLevel::kWarning);
  if (options.dry_run && !world.first()) return;
  std::optional<Crew> crew;
  if (!options.dry_run) crew.emplace(world);  // at once, so that the others are known to be there
  finish_ct_options(options.ct);
  if (options.segmentation && options.format != "dicom") {
    throw_usage("--seg: a DICOM segmentation goes with a DICOM series, expected --format dicom");
  }
  if (options.format == "dicom") options.generate.dicom = options.segmentation ? "ct+seg" : "ct";
  if (!options.gates.empty()) options.generate.gates = GateSettings::load(options.gates);
  Contradictions contradictions;
  std::vector<PlannedCase> plan =
      plan_cases(read_resolved(options.prompts, matcher_of(options.encoder), &contradictions),
                 options.selection, options.prompts);
  for (PlannedCase& planned : plan) planned.contradictions = contradictions[planned.source];
  options.generate.device = resolve_device(options.device, world.local_rank);
  ModelSampler sampler(Model::load(options.model, options.generate.device), options.model,
                       options.mask, options.ct.sampling);
  if (options.dry_run) {
    const Json described = describe_plan(plan, sampler, options.generate);
    return options.json ? print_json(described) : print_text(plan_table(described));
  }
  const GenerateSummary summary = run_generate(plan, sampler, options.generate, *crew);
  if (!world.first()) return;
  if (options.json) {
    print_json(to_json(summary, options.generate.out.string()));
  } else {
    print_text(to_table(summary));
  }
  check_outcome(summary, options);
}

void add_flags(CLI::App& command, const std::shared_ptr<Options>& options) {
  const auto required = [&](const char* flag, auto& value, const char* help) {
    command.add_option(flag, value, help)->required();
  };
  required("--model", options->model, "Model directory with stages 1, 2 and 3, see export model");
  required("--prompts", options->prompts, "Prompt file: JSON array, one object, or JSON Lines");
  required("--out", options->generate.out, "Output folder; a started one is resumed");
  add_encoder_option(command, options->encoder);
  command
      .add_option(
          "--steps", options->mask.steps,
          "Steps of a mask, one network call each, votes not counted (default: the model's)")
      ->check(CLI::Range(1, 10000));
  command
      .add_option("--guidance", options->mask.guidance,
                  "How strongly masks follow the prompt; 1 is plain (default: the model's)")
      ->check(CLI::Range(0.0, 20.0));
  command
      .add_option("--temperature", options->mask.temperature,
                  "Of the labels drawn; below 1 prefers likely ones (default: the model's)")
      ->check(CLI::Range(0.05, 10.0));
  add_ct_options(command, options->ct, "ct-");
  command
      .add_option("--retries", options->generate.retries,
                  "Further attempts at a mask, and at a CT, that fails a gate")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command
      .add_option("--samples", options->selection.samples,
                  "Samples a prompt, whatever the prompts say")
      ->check(CLI::Range(1, 1000));
  command.add_option("--limit", options->selection.limit, "Make the first so many cases only")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  command
      .add_option("--only", options->selection.only,
                  "Make this prompt or case only; may be repeated")
      ->expected(1)
      ->take_all();
  command
      .add_option("--format", options->format,
                  "nifti; or dicom, for a CT series in <id>/dicom/ct beside the NIfTI files")
      ->check(CLI::IsMember({"nifti", "dicom"}))
      ->capture_default_str();
  command.add_flag("--seg", options->segmentation,
                   "With --format dicom: the mask as <id>/dicom/seg.dcm too");
  command.add_option("--gates", options->gates,
                     "JSON file that changes gates or their limits (docs/generating.md)");
  command.add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command.add_flag("--overwrite", options->generate.overwrite,
                   "Replace cases made from other weights, prompts or settings");
  command.add_flag("--strict", options->strict, "Exit with 3 when a case fails its gates");
  command.add_flag("--dry-run", options->dry_run, "Print cases, grids and memory; write nothing");
  command.add_flag("--json", options->json, "Print one JSON document on stdout");
}

}  // namespace

void add_generate_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("generate", "Turn a prompt file into (text, mask, CT) triplets");
  add_flags(*command, options);
  command->footer(
      "Writes OUT/<id>/{prompt.json, mask.nii.gz, ct.nii.gz, preview.png}, manifest.jsonl,\n"
      "contact_sheet.png and index.html. The same command resumes after a stop and leaves\n"
      "complete cases alone; equal inputs give bit-identical volumes. A mask that fails a gate\n"
      "is sampled again with another seed; the best attempt is kept and the manifest says so.\n"
      "Started by srun or `torchrun --no-python`, processes share the cases "
      "(docs/generating.md).\n\n"
      "Example:\n"
      "  guidegen generate --model models/demo --prompts configs/demo/prompts.json --out out");
  command->callback([options] { run(*options); });
}

}  // namespace guidegen
