#include "generate/worker.hpp"

#include "generate/case_maker.hpp"
#include "generate/problem.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/generate/background_writer.hpp"

namespace guidegen {
namespace {

CaseOutcome failed(const std::string& id, const std::string& problem) {
  log_error(concat("case ", id, " failed: ", problem));
  CaseOutcome outcome;
  outcome.id = id;
  outcome.state = CaseState::kFailed;
  outcome.error = problem;
  return outcome;
}

CaseOutcome done(const FinishedCase& finished) {
  return {finished.planned.id,
          CaseState::kDone,
          finished.kept_mask.attempts,
          finished.kept_ct.attempts,
          finished.report.passed(),
          finished.seconds,
          ""};
}

}  // namespace

Worker::Worker(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
               const GenerateOptions& options, Crew& crew, Note note)
    : plan_(plan),
      sampler_(sampler),
      options_(options),
      crew_(crew),
      note_(std::move(note)),
      recipes_(sampler, options) {
  for (size_t i = 0; i < plan.size(); ++i) indices_[plan[i].id] = i;
}

void Worker::work(const Queue& queue) {
  const CaseWriter files(options_.out, manifest_path(options_.out, crew_.world().rank),
                         sampler_.vocabulary());
  BackgroundWriter writer(files, options_.writer_bytes,
                          [this](const FinishedCase& finished, const std::string& problem) {
                            const std::string& id = finished.planned.id;
                            end(indices_.at(id),
                                problem.empty() ? done(finished) : failed(id, problem));
                          });
  for (;;) {
    crew_.check();
    const std::optional<size_t> index = queue();
    if (!index) break;
    make(*index, writer);
  }
  writer.finish();
}

void Worker::make(size_t index, BackgroundWriter& writer) {
  const PlannedCase& planned = plan_[index];
  note_(planned.id);
  std::optional<FinishedCase> finished;
  const std::string problem = problem_in([&] {
    finished = make_case(sampler_, planned, recipes_.of(planned), options_.gates,
                         [&](const char* what, int64_t step, int64_t total) {
                           crew_.check();
                           note_(concat(planned.id, " ", what, " ", step, "/", total));
                         });
  });
  if (problem.empty()) {
    writer.submit(std::move(*finished));
  } else {
    end(index, failed(planned.id, problem));
  }
}

void Worker::end(size_t index, CaseOutcome outcome) {
  const std::string text = note_text(to_json(outcome));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    outcomes_[index] = std::move(outcome);
  }
  try {
    if (!crew_.first()) crew_.tell(outcome_key(index), text);
    crew_.count_finished();
  } catch (const CrewLost&) {
    // Nobody listens any more. The case is on disk, and the next check() ends the work.
  }
}

std::map<size_t, CaseOutcome> Worker::outcomes() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return outcomes_;
}

std::string note_text(const Json& note) {
  return note.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string outcome_key(size_t index) { return concat("case/", index); }

Json to_json(const CaseOutcome& outcome) {
  return {{"id", outcome.id},
          {"failed", outcome.state == CaseState::kFailed},
          {"attempts", outcome.attempts},
          {"ct_attempts", outcome.ct_attempts},
          {"gates_passed", outcome.gates_passed},
          {"seconds", outcome.seconds},
          {"error", outcome.error}};
}

CaseOutcome outcome_from_json(const Json& json) {
  return {json["id"],           json["failed"] ? CaseState::kFailed : CaseState::kDone,
          json["attempts"],     json["ct_attempts"],
          json["gates_passed"], json["seconds"],
          json["error"]};
}

}  // namespace guidegen
