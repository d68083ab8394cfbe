#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "generate/survey.hpp"

namespace guidegen {

/// What one process does with the cases that it is given: make, check, write in the background.
class Worker {
 public:
  /// Index into the plan of the next case to make; none when there is no more.
  using Queue = std::function<std::optional<size_t>()>;
  /// What is being done now, for the progress bar.
  using Note = std::function<void(const std::string&)>;

  Worker(const std::vector<PlannedCase>& plan, CaseSampler& sampler, const GenerateOptions& options,
         Crew& crew, Note note);

  /// Makes cases until the queue is empty, and waits until they are written. At a stop signal those
  /// that are finished are still written. Outcomes are told to the crew.
  void work(const Queue& queue);

  /// Outcomes of the cases that this process made, by index into the plan.
  std::map<size_t, CaseOutcome> outcomes();

 private:
  void make(size_t index, class BackgroundWriter& writer);
  void end(size_t index, CaseOutcome outcome);

  const std::vector<PlannedCase>& plan_;
  CaseSampler& sampler_;
  const GenerateOptions& options_;
  Crew& crew_;
  Note note_;
  Recipes recipes_;
  std::map<std::string, size_t> indices_;  ///< by case id
  std::mutex mutex_;
  std::map<size_t, CaseOutcome> outcomes_;
};

/// A note for other processes. Names of files in it need not be UTF-8; what is not is replaced.
std::string note_text(const Json& note);

/// Key of the note in which a process tells how the case ended.
std::string outcome_key(size_t index);
Json to_json(const CaseOutcome& outcome);
CaseOutcome outcome_from_json(const Json& json);

}  // namespace guidegen
