#include "guidegen/generate/pipeline.hpp"

#include <algorithm>
#include <chrono>

#include "generate/worker.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/generate/batch_report.hpp"
#include "guidegen/generate/request_doubts.hpp"
#include "guidegen/nn/accelerator.hpp"
#include "guidegen/train/resource_usage.hpp"

namespace guidegen {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Arguments of run_generate, as its parts hand them on.
struct Run {
  const std::vector<PlannedCase>& plan;
  CaseSampler& sampler;
  const GenerateOptions& options;
  Crew& crew;
};

int64_t peak_gpu_bytes(const c10::Device& device) {
  return device.is_cuda() ? accelerator()->memory(device.index()).peak : 0;
}

/// Equal where processes would make equal cases.
std::string digest_of(const Run& run) {
  const Recipe recipe = Recipes(run.sampler, run.options).common();
  std::string text =
      concat(Json(recipe.weights).dump(), recipe.settings.dump(), recipe.gates.dump(),
             recipe.retries, recipe.dicom, run.options.device.is_cuda() ? "cuda" : "cpu");
  for (const PlannedCase& planned : run.plan) text += prompt_file_text(planned.prompt);
  return sha256_hex(text);
}

/// What the first process finds before any work.
struct Survey {
  std::vector<CaseOutcome> outcomes;  ///< of the selected cases: kept, or still to be made
  std::map<size_t, size_t> places;    ///< index into the plan -> into `outcomes`
  std::vector<size_t> to_make;        ///< indices into the plan, in the order of the queue
};

/// Large volumes first: a long case that is begun last would keep all others waiting.
void sort_by_size(const Run& run, std::vector<size_t>& to_make) {
  std::stable_sort(to_make.begin(), to_make.end(), [&run](size_t a, size_t b) {
    return run.sampler.geometry_for(run.plan[a].prompt).voxels() >
           run.sampler.geometry_for(run.plan[b].prompt).voxels();
  });
}

/// Refuses what is in the way before any work.
Survey survey_folder(const Run& run, Manifest& manifest, const Recipes& recipes) {
  Survey survey;
  for (size_t i = 0; i < run.plan.size(); ++i) {
    const PlannedCase& planned = run.plan[i];
    if (!planned.selected) continue;
    run.crew.check();
    const Found found = find_case(run.options.out, manifest, planned, recipes.of(planned));
    if (!found.obstacle.empty() && !run.options.overwrite) {
      throw_usage((run.options.out / planned.id).string(), ": ", found.obstacle,
                  ", expected another --out, or --overwrite to replace it");
    }
    survey.places[i] = survey.outcomes.size();
    CaseOutcome& outcome = survey.outcomes.emplace_back();
    outcome.id = planned.id;
    outcome.state = CaseState::kKept;
    if (found.record == nullptr) {
      survey.to_make.push_back(i);
    } else {
      outcome.gates_passed = found.record->value("gates_passed", false);
    }
  }
  sort_by_size(run, survey.to_make);
  return survey;
}

Worker::Queue queue_of(Crew& crew, const std::vector<size_t>& to_make) {
  return [&crew, &to_make]() -> std::optional<size_t> {
    const auto next = static_cast<size_t>(crew.next());
    if (next >= to_make.size()) return std::nullopt;
    return to_make[next];
  };
}

/// Keys of the notes that the processes leave for each other.
constexpr const char* kPlan = "plan";
constexpr const char* kRefused = "refused";
std::string peaks_key(int rank) { return concat("peaks/", rank); }

/// Any process but the first: work off the queue.
GenerateSummary follow(const Run& run) {
  const auto [key, value] = run.crew.wait_for({kPlan, kRefused});
  const Json note = Json::parse(value);
  if (key == kRefused) throw Error(note["kind"].get<ErrorKind>(), note["message"]);
  const int rank = run.crew.world().rank;
  if (note["digest"] != digest_of(run)) {
    throw_usage("process ", rank, " was given other prompts, weights or settings than process 0");
  }
  const std::vector<size_t> to_make = note["queue"];
  Worker worker(run.plan, run.sampler, run.options, run.crew, [](const std::string&) {});
  worker.work(queue_of(run.crew, to_make));
  const Json peaks = {peak_resident_bytes(), peak_gpu_bytes(run.options.device)};
  run.crew.tell(peaks_key(rank), peaks.dump());
  return {};
}

/// Waits for the others and takes over what they told; whether any is lost.
bool gather(const Run& run, const std::vector<size_t>& to_make,
            std::map<size_t, CaseOutcome>& outcomes, GenerateSummary& summary) {
  const std::vector<int> lost = run.crew.wait_for_others();
  for (const int rank : lost) {
    log_warning(concat("process ", rank, " of ", run.crew.world().size,
                       " is lost; process 0 makes the cases that it had taken"));
  }
  for (const size_t index : to_make) {
    if (outcomes.count(index) != 0) continue;
    const auto told = run.crew.read(outcome_key(index));
    if (told) outcomes[index] = outcome_from_json(Json::parse(*told));
  }
  for (int rank = 1; rank < run.crew.world().size; ++rank) {
    const auto told = run.crew.read(peaks_key(rank));
    if (!told) continue;
    const Json peaks = Json::parse(*told);
    summary.peak_resident_bytes = std::max(summary.peak_resident_bytes, peaks[0].get<int64_t>());
    summary.peak_gpu_bytes = std::max(summary.peak_gpu_bytes, peaks[1].get<int64_t>());
  }
  return !lost.empty();
}

/// Cases that lost processes had taken: some are written already, the others are made now.
void make_up_for_lost(const Run& run, const std::vector<size_t>& to_make, Worker& worker,
                      std::map<size_t, CaseOutcome>& outcomes) {
  std::vector<size_t> missing;
  std::optional<Manifest> manifest;
  const Recipes recipes(run.sampler, run.options);
  for (const size_t index : to_make) {
    if (outcomes.count(index) != 0) continue;
    if (!manifest) manifest.emplace(run.options.out);
    const PlannedCase& planned = run.plan[index];
    const Json* record = find_case(run.options.out, *manifest, planned, recipes.of(planned)).record;
    if (record == nullptr) {
      missing.push_back(index);
      continue;
    }
    outcomes[index] = {planned.id,
                       CaseState::kDone,
                       record->value("attempts", 1),
                       record->value("ct_attempts", 1),
                       record->value("gates_passed", false),
                       record->value("seconds", 0.0),
                       ""};
  }
  size_t next = 0;
  worker.work([&]() -> std::optional<size_t> {
    if (next == missing.size()) return std::nullopt;
    return missing[next++];
  });
  for (auto& [index, outcome] : worker.outcomes()) outcomes[index] = outcome;
}

/// Puts the manifest in order and brings pictures and page up to date.
void report_batch(const Run& run, const Survey& survey) {
  const Recipes recipes(run.sampler, run.options);
  Manifest manifest(run.options.out);
  std::vector<std::string> order;
  for (size_t i = 0; i < run.plan.size(); ++i) {
    const PlannedCase& planned = run.plan[i];
    order.push_back(planned.id);
    const auto place = survey.places.find(i);
    if (place != survey.places.end() &&
        survey.outcomes[place->second].state != CaseState::kFailed) {
      manifest.mark_complete(planned.id, recipes.of(planned));
    }
  }
  const std::vector<Json> records = manifest.write_ordered(order);
  if (run.options.report) {
    write_batch_report(run.options.out, records, run.sampler.vocabulary());
  }
}

/// Takes the output folder for this run and looks at it; what it refuses, the others are told.
Survey survey_and_tell(const Run& run, std::optional<OutputFolder>& folder) {
  try {
    for (const PlannedCase& planned : run.plan) {
      // Throws for a grid that can't be made, or not within --memory, before anything is written.
      if (planned.selected) run.sampler.memory_estimate(run.sampler.geometry_for(planned.prompt));
    }
    folder.emplace(run.options.out);
    const Recipes recipes(run.sampler, run.options);
    Manifest manifest(run.options.out);
    Survey survey = survey_folder(run, manifest, recipes);
    const Json note = {{"digest", digest_of(run)}, {"queue", survey.to_make}};
    run.crew.tell(kPlan, note_text(note));
    return survey;
  } catch (const Error& error) {
    run.crew.tell(kRefused, note_text(Json({{"kind", error.kind()}, {"message", error.what()}})));
    throw;
  }
}

/// Says what is unreasonable about the cases to make; what many have in common, once.
void warn_of_doubts(const Run& run, const std::vector<size_t>& to_make) {
  std::map<std::string, std::vector<std::string>> ids;
  for (const size_t index : to_make) {
    const PlannedCase& planned = run.plan[index];
    for (const std::string& doubt :
         doubts_about(planned.prompt, run.sampler.geometry_for(planned.prompt),
                      run.sampler.default_geometry())) {
      ids[doubt].push_back(planned.id);
    }
  }
  for (const auto& [doubt, cases] : ids) {
    const std::string others =
        cases.size() > 1 ? concat(" and ", cases.size() - 1, " other cases") : "";
    log_warning(concat(cases.front(), others, ": ", doubt));
  }
}

/// The first process: survey, work, report.
GenerateSummary lead(const Run& run) {
  const Clock::time_point start = Clock::now();
  GenerateSummary summary;
  std::optional<OutputFolder> folder;
  Survey survey = survey_and_tell(run, folder);
  warn_of_doubts(run, survey.to_make);
  const auto total = static_cast<int64_t>(survey.outcomes.size());
  const auto kept = total - static_cast<int64_t>(survey.to_make.size());
  Progress progress("generate", total);
  const auto show = [&](const std::string& note) {
    progress.update(kept + std::min(run.crew.finished(), total - kept), note);
  };
  Worker worker(run.plan, run.sampler, run.options, run.crew, show);
  worker.work(queue_of(run.crew, survey.to_make));
  std::map<size_t, CaseOutcome> outcomes = worker.outcomes();
  const bool any_lost = gather(run, survey.to_make, outcomes, summary);
  make_up_for_lost(run, survey.to_make, worker, outcomes);
  if (any_lost) remove_leftovers(run.options.out);
  for (auto& [index, outcome] : outcomes) {
    survey.outcomes[survey.places.at(index)] = std::move(outcome);
  }
  show("");
  progress.finish();
  report_batch(run, survey);
  summary.cases = std::move(survey.outcomes);
  summary.seconds = seconds_since(start);
  summary.peak_resident_bytes = std::max(summary.peak_resident_bytes, peak_resident_bytes());
  summary.peak_gpu_bytes = std::max(summary.peak_gpu_bytes, peak_gpu_bytes(run.options.device));
  return summary;
}

/// The others stop as well.
void tell_of(const Stopped& stopped, Crew& crew) {
  try {
    crew.stop(stopped.signal);
  } catch (const CrewLost&) {
    // They have stopped already.
  }
}

/// Most bytes of finished cases that wait to be written.
int64_t waiting_bytes(int64_t largest, int64_t all, int64_t limit) {
  return std::min(all, std::max(largest, limit));
}

}  // namespace

int64_t GenerateSummary::count(CaseState state) const {
  return std::count_if(cases.begin(), cases.end(),
                       [state](const CaseOutcome& outcome) { return outcome.state == state; });
}

int64_t GenerateSummary::retried() const {
  return std::count_if(cases.begin(), cases.end(), [](const CaseOutcome& outcome) {
    return outcome.attempts > 1 || outcome.ct_attempts > 1;
  });
}

int64_t GenerateSummary::gates_failed() const {
  return std::count_if(cases.begin(), cases.end(), [](const CaseOutcome& outcome) {
    return outcome.state != CaseState::kFailed && !outcome.gates_passed;
  });
}

GenerateSummary run_generate(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                             const GenerateOptions& options, Crew& crew) {
  const Run run{plan, sampler, options, crew};
  try {
    return crew.first() ? lead(run) : follow(run);
  } catch (const Stopped& stopped) {
    tell_of(stopped, crew);
    throw;
  } catch (const CrewLost& lost) {
    throw_failure(options.out.string(), ": process ", crew.world().rank,
                  " lost process 0, whose own message says why (", lost.reason,
                  "); the same command goes on");
  }
}

Json describe_plan(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                   const GenerateOptions& options) {
  const Recipes recipes(sampler, options);
  Manifest manifest(options.out);
  Json cases = Json::array();
  int64_t bytes = 0, largest = 0, all = 0;
  for (const PlannedCase& planned : plan) {
    if (!planned.selected) continue;
    const ImageGeometry grid = sampler.geometry_for(planned.prompt);
    const Found found = find_case(options.out, manifest, planned, recipes.of(planned));
    bytes = std::max(bytes, sampler.memory_estimate(grid));
    const int64_t volumes = grid.voxels() * static_cast<int64_t>(sizeof(uint16_t) + sizeof(float));
    largest = std::max(largest, volumes);
    all += volumes;
    cases.push_back({{"id", planned.id},
                     {"text", text_of(planned.prompt)},
                     {"seed", planned.prompt.seed},
                     {"size", grid.size},
                     {"spacing_mm", grid.spacing},
                     {"doubts", doubts_about(planned.prompt, grid, sampler.default_geometry())},
                     {"state", found.record != nullptr  ? "complete"
                               : found.obstacle.empty() ? "new"
                               : options.overwrite      ? "replace: " + found.obstacle
                                                        : "refused: " + found.obstacle}});
  }
  bytes += waiting_bytes(largest, all, options.writer_bytes);
  const Recipe& recipe = recipes.common();
  return {{"out", options.out.string()}, {"weights", recipe.weights},
          {"settings", recipe.settings}, {"gate_settings", recipe.gates},
          {"retries", options.retries},  {"memory_mib", bytes >> 20},
          {"cases", std::move(cases)}};
}

}  // namespace guidegen
