#include "guidegen/evaluate/mask_prompt.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

int64_t count_of(const TumorRequest& request) { return request.count.value_or(1); }

/// Sizes are compared largest with largest: nothing else tells which tumor answers which request.
std::vector<std::pair<double, double>> pair_sizes(const std::vector<TumorRequest>& requests,
                                                  TumorOrgan organ, std::vector<double> found) {
  std::vector<double> requested;
  for (const TumorRequest& request : requests) {
    if (request.organ != organ || !request.size_mm) continue;
    requested.insert(requested.end(), static_cast<size_t>(count_of(request)), *request.size_mm);
  }
  std::sort(requested.rbegin(), requested.rend());
  std::sort(found.rbegin(), found.rend());
  std::vector<std::pair<double, double>> pairs;
  for (size_t i = 0; i < std::min(requested.size(), found.size()); ++i) {
    pairs.emplace_back(requested[i], found[i]);
  }
  return pairs;
}

OrganAnswer judge_organ(const std::vector<TumorRequest>& requests,
                        const std::vector<FoundTumor>& found, TumorOrgan organ) {
  OrganAnswer answer;
  std::map<TumorPosition, int64_t> wanted_at;
  for (const TumorRequest& request : requests) {
    if (request.organ != organ) continue;
    answer.requested += count_of(request);
    answer.count_open = answer.count_open || !request.count;
    if (request.position) wanted_at[*request.position] += count_of(request);
  }
  std::map<TumorPosition, int64_t> found_at;
  std::vector<double> diameters;
  for (const FoundTumor& tumor : found) {
    if (tumor.organ != organ) continue;
    ++answer.found;
    diameters.push_back(tumor.component.diameter_mm);
    if (tumor.position) ++found_at[*tumor.position];
  }
  for (const auto& [position, wanted] : wanted_at) {
    answer.position.add(std::min(wanted, found_at[position]), wanted);
  }
  answer.sizes = pair_sizes(requests, organ, std::move(diameters));
  return answer;
}

void add_answer(AnswerSummary& summary, const OrganAnswer& answer) {
  summary.organ.add(answer.answered(), answer.requested);
  summary.position.add(answer.position.hits, answer.position.total);
  if (!answer.count_open) summary.count.add(answer.found == answer.requested ? 1 : 0, 1);
  for (const auto& [requested, found] : answer.sizes) {
    summary.requested_mm.push_back(requested);
    summary.found_mm.push_back(found);
  }
}

}  // namespace

CaseAnswer judge_tumors(const Prompt& prompt, const std::vector<FoundTumor>& found) {
  CaseAnswer answer;
  answer.id = prompt.id;
  answer.prompt = prompt;
  answer.found = found;
  answer.judged = prompt.tumors.has_value();
  if (!answer.judged) return answer;
  answer.asks_none = prompt.tumors->empty();
  for (const TumorRequest& request : *prompt.tumors) {
    if (answer.organs.contains(request.organ)) continue;
    answer.organs[request.organ] = judge_organ(*prompt.tumors, found, request.organ);
  }
  answer.stray = std::count_if(found.begin(), found.end(), [&](const FoundTumor& tumor) {
    return !tumor.organ || !answer.organs.contains(*tumor.organ);
  });
  return answer;
}

MaskPromptReport summarize_answers(std::vector<CaseAnswer> cases) {
  MaskPromptReport report;
  for (const CaseAnswer& answer : cases) {
    if (!answer.judged) continue;
    for (const auto& [organ, organ_answer] : answer.organs) {
      add_answer(report.all, organ_answer);
      add_answer(report.by_organ[organ], organ_answer);
    }
    if (answer.asks_none) {
      report.false_tumors.add(answer.found.empty() ? 0 : 1, 1);
    } else {
      report.stray.add(answer.stray, static_cast<int64_t>(answer.found.size()));
    }
  }
  report.cases = std::move(cases);
  return report;
}

MaskPromptReport evaluate_mask_prompt(const std::filesystem::path& root,
                                      const Vocabulary& vocabulary,
                                      const std::function<void(int64_t, int64_t)>& on_case) {
  const std::vector<std::string> ids = complete_cases(root, /*with_ct=*/false);
  if (ids.empty()) {
    throw_usage(root.string(),
                ": no case in it, expected folders with prompt.json and mask.nii.gz");
  }
  std::vector<CaseAnswer> cases;
  for (const std::string& id : ids) {
    throw_if_stopped();
    const Prompt prompt = read_case_prompt(root / id);
    const Volume mask = read_mask(root / id / "mask.nii.gz", vocabulary.size());
    cases.push_back(judge_tumors(prompt, find_tumors(mask, vocabulary)));
    cases.back().id = id;  // samples of one prompt share its id
    if (on_case) on_case(static_cast<int64_t>(cases.size()), static_cast<int64_t>(ids.size()));
  }
  return summarize_answers(std::move(cases));
}

}  // namespace guidegen
