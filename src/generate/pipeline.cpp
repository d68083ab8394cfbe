#include "guidegen/generate/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <new>

#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/generate/batch_report.hpp"
#include "guidegen/generate/case_writer.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What one run knows about all its cases.
struct Run {
  CaseSampler& sampler;
  const GenerateOptions& options;
  Manifest manifest;
  std::map<std::string, std::string> weights;
  Json settings;

  Run(CaseSampler& used_sampler, const GenerateOptions& used_options)
      : sampler(used_sampler),
        options(used_options),
        manifest(used_options.out),
        weights(used_sampler.weight_hashes()),
        settings(used_sampler.settings()) {}

  Recipe recipe_of(const PlannedCase& planned) const {
    return {sha256_hex(prompt_file_text(planned.prompt)), weights, settings};
  }
};

/// Why the folder of a case can't be taken over; empty when there is none or it is complete.
std::string obstacle(Run& run, const PlannedCase& planned, bool& complete) {
  complete = false;
  const fs::path folder = run.options.out / planned.id;
  std::error_code error;
  if (!fs::exists(fs::symlink_status(folder, error))) return "";
  if (const Json* record = run.manifest.find_verified(planned.id)) {
    const std::string difference = recipe_difference(*record, run.recipe_of(planned));
    complete = difference.empty();
    return complete ? "" : "was made from " + difference;
  }
  return run.manifest.has_record(planned.id) ? "was changed since it was made"
                                             : "is not in manifest.jsonl";
}

/// The best of up to 1 + retries masks.
struct Candidate {
  Volume mask;
  GateReport report;
  uint64_t seed = 0;
  int attempt = 0;
  int attempts = 0;
};

Candidate sample_checked_mask(Run& run, const PlannedCase& planned, const StepCallback& on_step) {
  const std::vector<int> required =
      required_labels(run.sampler.geometry_for(planned.prompt), run.sampler.default_geometry(),
                      run.sampler.vocabulary());
  Candidate best;
  for (int attempt = 0; attempt <= run.options.retries; ++attempt) {
    const uint64_t seed = attempt_seed(planned, attempt);
    Volume mask = run.sampler.sample_mask(planned.prompt, planned.id, seed, on_step);
    GateReport report = check_mask(mask, planned.prompt, run.sampler.vocabulary(), required);
    const bool first = attempt == 0;
    if (first || report.penalty() < best.report.penalty()) {
      best = {std::move(mask), std::move(report), seed, attempt, attempt + 1};
    }
    best.attempts = attempt + 1;
    if (best.report.passed()) break;
  }
  return best;
}

/// Shows the step of a case beside the bar, and lets a signal stop the work between steps.
StepCallback step_callback(Progress& progress, int64_t done, const std::string& label) {
  return [&progress, done, label](int64_t step, int64_t total) {
    throw_if_stopped();
    progress.update(done, concat(label, " ", step, "/", total));
  };
}

CaseOutcome make_case(Run& run, const PlannedCase& planned, Progress& progress, int64_t done) {
  const Clock::time_point start = Clock::now();
  Candidate best =
      sample_checked_mask(run, planned, step_callback(progress, done, planned.id + " mask"));
  Volume ct = run.sampler.sample_ct(planned.prompt, best.mask, planned.id, best.seed,
                                    step_callback(progress, done, planned.id + " CT"));
  throw_if_stopped();
  FinishedCase finished{planned,   std::move(best.mask), std::move(ct), std::move(best.report),
                        best.seed, best.attempt,         best.attempts, 0};
  finished.seconds = seconds_since(start);
  CaseWriter(run.options.out, run.sampler.vocabulary(), run.manifest)
      .write(finished, run.recipe_of(planned));
  return {planned.id,           CaseState::kDone,
          finished.attempts,    finished.report.passed(),
          seconds_since(start), ""};
}

/// As make_case, but a case that can't be made is an outcome too.
CaseOutcome try_case(Run& run, const PlannedCase& planned, Progress& progress, int64_t done) {
  std::string problem;
  try {
    return make_case(run, planned, progress, done);
  } catch (const Error& error) {
    problem = error.what();
  } catch (const std::bad_alloc&) {
    problem = "out of memory";
  } catch (const c10::Error& error) {
    problem = error.what_without_backtrace();
  }
  problem = problem.substr(0, problem.find('\n'));
  log_error(concat("case ", planned.id, " failed: ", problem));
  return {planned.id, CaseState::kFailed, 0, false, 0, problem};
}

bool gates_passed(const Json* record) {
  return record != nullptr && record->value("gates_passed", false);
}

/// Outcome of each selected case so far: kept, or still to be made. Refuses what is in the way
/// before any work.
std::vector<CaseOutcome> survey(Run& run, const std::vector<PlannedCase>& plan,
                                std::vector<const PlannedCase*>& to_make) {
  std::vector<CaseOutcome> outcomes;
  for (const PlannedCase& planned : plan) {
    if (!planned.selected) continue;
    bool complete = false;
    const std::string problem = obstacle(run, planned, complete);
    if (!problem.empty() && !run.options.overwrite) {
      throw_usage((run.options.out / planned.id).string(), ": ", problem,
                  ", expected another --out, or --overwrite to replace it");
    }
    outcomes.push_back({planned.id, CaseState::kKept, 0, false, 0, ""});
    to_make.push_back(complete ? nullptr : &planned);
    if (complete)
      outcomes.back().gates_passed = gates_passed(run.manifest.find_verified(planned.id));
  }
  return outcomes;
}

/// Puts the manifest in order and brings pictures and page up to date.
void report_batch(Run& run, const std::vector<PlannedCase>& plan) {
  std::vector<std::string> order;
  for (const PlannedCase& planned : plan) order.push_back(planned.id);
  const std::vector<Json> records = run.manifest.write_ordered(order);
  if (run.options.report) {
    write_batch_report(run.options.out, records, run.sampler.vocabulary());
  }
}

}  // namespace

int64_t GenerateSummary::count(CaseState state) const {
  return std::count_if(cases.begin(), cases.end(),
                       [state](const CaseOutcome& outcome) { return outcome.state == state; });
}

int64_t GenerateSummary::retried() const {
  return std::count_if(cases.begin(), cases.end(),
                       [](const CaseOutcome& outcome) { return outcome.attempts > 1; });
}

int64_t GenerateSummary::gates_failed() const {
  return std::count_if(cases.begin(), cases.end(), [](const CaseOutcome& outcome) {
    return outcome.state != CaseState::kFailed && !outcome.gates_passed;
  });
}

GenerateSummary run_generate(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                             const GenerateOptions& options) {
  const Clock::time_point start = Clock::now();
  for (const PlannedCase& planned : plan) {
    // Throws for a grid that can't be made, before anything is written.
    if (planned.selected) sampler.geometry_for(planned.prompt);
  }
  const OutputFolder folder(options.out);
  Run run(sampler, options);
  GenerateSummary summary;
  std::vector<const PlannedCase*> to_make;
  summary.cases = survey(run, plan, to_make);

  const auto total = static_cast<int64_t>(summary.cases.size());
  Progress progress("generate", total);
  int64_t done = std::count(to_make.begin(), to_make.end(), nullptr);
  for (size_t i = 0; i < to_make.size(); ++i) {
    if (to_make[i] == nullptr) continue;
    throw_if_stopped();
    progress.update(done, to_make[i]->id);
    summary.cases[i] = try_case(run, *to_make[i], progress, done);
    progress.update(++done, to_make[i]->id);
  }
  progress.finish();
  report_batch(run, plan);
  summary.seconds = seconds_since(start);
  return summary;
}

Json describe_plan(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                   const GenerateOptions& options) {
  Run run(sampler, options);
  Json cases = Json::array();
  int64_t bytes = 0;
  for (const PlannedCase& planned : plan) {
    if (!planned.selected) continue;
    const ImageGeometry grid = sampler.geometry_for(planned.prompt);
    bool complete = false;
    const std::string problem = obstacle(run, planned, complete);
    bytes = std::max(bytes, sampler.memory_estimate(grid));
    cases.push_back({{"id", planned.id},
                     {"text", text_of(planned.prompt)},
                     {"seed", planned.prompt.seed},
                     {"size", grid.size},
                     {"spacing_mm", grid.spacing},
                     {"state", complete            ? "complete"
                               : problem.empty()   ? "new"
                               : options.overwrite ? "replace: " + problem
                                                   : "refused: " + problem}});
  }
  return {{"out", options.out.string()}, {"weights", run.weights},    {"settings", run.settings},
          {"retries", options.retries},  {"memory_mib", bytes >> 20}, {"cases", std::move(cases)}};
}

}  // namespace guidegen
