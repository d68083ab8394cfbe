#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/generate/case_plan.hpp"
#include "guidegen/generate/case_sampler.hpp"
#include "guidegen/generate/crew.hpp"
#include "guidegen/generate/gate_settings.hpp"

namespace guidegen {

struct GenerateOptions {
  std::filesystem::path out;
  GateSettings gates = GateSettings::shipped();
  int retries = 3;         ///< further attempts at a mask, and at a CT, that fails a gate, 0…100
  bool overwrite = false;  ///< replace cases made by other weights, prompts or settings
  std::string dicom;       ///< see Recipe
  bool report = true;      ///< contact sheet and page at the end
  int64_t writer_bytes = int64_t{1} << 30;  ///< of finished cases that wait to be written
  c10::Device device = c10::kCPU;           ///< whose peak of memory the summary tells
};

enum class CaseState { kDone, kKept, kFailed };

/// How one case ended.
struct CaseOutcome {
  std::string id;
  CaseState state = CaseState::kDone;  ///< made now, complete before, or failed
  int attempts = 0;                    ///< at the mask, made now; 0 when kept
  int ct_attempts = 0;                 ///< at the CT
  bool gates_passed = false;
  double seconds = 0;  ///< that sampling and checking took
  std::string error;   ///< one line, when failed
};

struct GenerateSummary {
  std::vector<CaseOutcome> cases;  ///< those selected, in prompt order
  double seconds = 0;
  int64_t peak_resident_bytes = 0;  ///< of the process that took most
  int64_t peak_gpu_bytes = 0;       ///< likewise; 0 without a GPU

  int64_t count(CaseState state) const;
  int64_t retried() const;       ///< made now with more than one attempt at mask or CT
  int64_t gates_failed() const;  ///< done or kept, with a gate that no attempt passed
};

/// Makes the selected cases of a plan, one folder each, then manifest, contact_sheet.png and
/// index.html.
///
/// For each case: sample a mask, check it, retry with attempt_seed() until it passes or retries run
/// out, keep the best attempt (fewest penalties, then earliest); sample its CT, check it and retry
/// with ct_attempt_seed() likewise; write the folder on a thread of its own. A complete case of the
/// same recipe is kept; one of another recipe, or a folder that we did not write, is Error(kUsage)
/// before anything is made, unless `overwrite`. A case that can't be made or written is reported as
/// failed and the others go on. Throws Stopped between sampling steps; the same call resumes.
///
/// Every process of `crew` calls this with equal arguments. They take cases from one queue, large
/// ones first; which process makes a case changes nothing about it. The first process looks at
/// what is there, locks the folder and reports; it also makes the cases that lost processes had
/// taken. Its summary is about all, that of the others is empty.
GenerateSummary run_generate(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                             const GenerateOptions& options, Crew& crew);

/// What --dry-run prints: {"cases": [{"id", "text", "seed", "size", "spacing_mm", "state"}],
/// "memory_mib", …}. `state` is "new", "complete" or why the case is refused. Writes nothing.
Json describe_plan(const std::vector<PlannedCase>& plan, CaseSampler& sampler,
                   const GenerateOptions& options);

}  // namespace guidegen
