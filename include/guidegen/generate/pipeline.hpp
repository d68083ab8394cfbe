#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/generate/case_plan.hpp"
#include "guidegen/generate/case_sampler.hpp"

namespace guidegen {

struct GenerateOptions {
  std::filesystem::path out;
  int retries = 3;         ///< further attempts at a mask that fails a gate, 0…100
  bool overwrite = false;  ///< replace cases made by other weights, prompts or settings
  bool report = true;      ///< contact sheet and page at the end
};

enum class CaseState { kDone, kKept, kFailed };

/// How one case ended.
struct CaseOutcome {
  std::string id;
  CaseState state = CaseState::kDone;  ///< made now, complete before, or failed
  int attempts = 0;                    ///< made now; 0 when kept
  bool gates_passed = false;
  double seconds = 0;
  std::string error;  ///< one line, when failed
};

struct GenerateSummary {
  std::vector<CaseOutcome> cases;  ///< those selected, in prompt order
  double seconds = 0;

  int64_t count(CaseState state) const;
  int64_t retried() const;       ///< made now with more than one attempt
  int64_t gates_failed() const;  ///< done or kept, with a gate that no attempt passed
};

/// Makes the selected cases of a plan, one folder each, then manifest, contact_sheet.png and
/// index.html.
///
/// For each case: sample a mask, check it, retry with attempt_seed() until it passes or retries run
/// out, keep the best attempt (fewest penalties, then earliest), sample its CT, write the folder. A
/// complete case of the same recipe is kept; one of another recipe, or a folder that we did not
/// write, is Error(kUsage) before anything is made, unless `overwrite`. A case that throws Error is
/// reported as failed and the others go on. Throws Stopped between sampling steps; the same call
/// resumes.
GenerateSummary run_generate(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                             const GenerateOptions& options);

/// What --dry-run prints: {"cases": [{"id", "text", "seed", "size", "spacing_mm", "state"}],
/// "memory_mib", …}. `state` is "new", "complete" or why the case is refused. Writes nothing.
Json describe_plan(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                   const GenerateOptions& options);

}  // namespace guidegen
