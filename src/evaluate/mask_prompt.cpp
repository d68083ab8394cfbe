#include "guidegen/evaluate/mask_prompt.hpp"

#include <algorithm>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

using Cases = std::vector<const CaseAnswer*>;

void add_subgroup(std::vector<Subgroup>& groups, const std::string& by, const std::string& name,
                  const Cases& cases, const TumorFilter& filter, const BootstrapOptions& options) {
  AnswerSummary summary = summarize(cases, filter, options);
  const bool empty = summary.organ.proportion.total + summary.false_tumors.proportion.total == 0;
  if (!empty) groups.push_back({by, name, std::move(summary)});
}

void split_by(std::vector<Subgroup>& groups, const std::string& by, const Cases& cases,
              const BootstrapOptions& options) {
  if (by == "size") {
    for (int i = 0; i < kSizeClassCount; ++i) {
      const auto size = static_cast<SizeClass>(i);
      add_subgroup(groups, by, name_of(size), cases, {std::nullopt, size}, options);
    }
    return;
  }
  if (by != "sex") throw_usage("subgroups by \"", by, "\": expected size or sex");
  for (const Sex sex : {Sex::kFemale, Sex::kMale}) {
    Cases some;
    std::copy_if(cases.begin(), cases.end(), std::back_inserter(some),
                 [&](const CaseAnswer* answer) { return answer->prompt.sex == sex; });
    add_subgroup(groups, by, name_of(sex), some, {}, options);
  }
}

/// The prompts to judge by, by the names of cases.
class Prompts {
 public:
  explicit Prompts(const MaskPromptOptions& options) : source_(options.source) {
    for (const Prompt& prompt : options.prompts) prompts_[prompt.id] = &prompt;
    const auto speaks = [](const Prompt& prompt) { return prompt.tumors.has_value(); };
    if (!prompts_.empty() && std::none_of(options.prompts.begin(), options.prompts.end(), speaks)) {
      throw_usage(source_, ": no prompt has \"tumors\", nothing can be judged; expected explicit ",
                  "fields, as in the .truth.json beside a file of texts");
    }
  }

  Prompt of_case(const std::filesystem::path& root, const std::string& id) {
    if (prompts_.empty()) return read_case_prompt(root / id);
    auto found = prompts_.find(id);
    if (found == prompts_.end()) found = prompts_.find(prompt_id_of(id));
    if (found == prompts_.end()) {
      throw_usage(source_, ": has no prompt for case '", id, "' of ", root.string(),
                  ", expected the file that the masks were made from, or its .truth.json");
    }
    used_.insert(found->first);
    return *found->second;
  }

  void check_all_used(const std::filesystem::path& root) const {
    for (const auto& [id, prompt] : prompts_) {
      if (!used_.contains(id)) {
        throw_usage(source_, ": prompt '", id, "' has no case in ", root.string(), ", nor have ",
                    prompts_.size() - used_.size() - 1, " others; expected one for each");
      }
    }
  }

 private:
  std::string source_;
  std::map<std::string, const Prompt*> prompts_;
  std::set<std::string> used_;
};

}  // namespace

std::vector<std::string> subgroup_names() { return {"size", "sex"}; }

MaskPromptReport summarize_answers(std::vector<CaseAnswer> cases,
                                   const std::vector<std::string>& by,
                                   const BootstrapOptions& options) {
  MaskPromptReport report;
  report.cases = std::move(cases);
  Cases all;
  std::set<TumorOrgan> organs;
  for (const CaseAnswer& answer : report.cases) {
    all.push_back(&answer);
    for (const auto& [organ, count] : answer.organs) organs.insert(organ);
  }
  report.all = summarize(all, {}, options);
  for (const TumorOrgan organ : organs) {
    report.by_organ[organ] = summarize(all, {organ, std::nullopt}, options);
  }
  for (const std::string& name : by) split_by(report.subgroups, name, all, options);
  report.positions = position_matrices(report.cases, report.by_organ);
  report.counts = count_table(report.cases);
  return report;
}

MaskPromptReport evaluate_mask_prompt(const std::filesystem::path& root,
                                      const Vocabulary& vocabulary,
                                      const MaskPromptOptions& options,
                                      const std::function<void(int64_t, int64_t)>& on_case) {
  const std::vector<std::string> ids = complete_cases(root, /*with_ct=*/false);
  if (ids.empty()) {
    throw_usage(root.string(),
                ": no case in it, expected folders with prompt.json and mask.nii.gz");
  }
  Prompts prompts(options);
  std::vector<Prompt> asked;  // before any mask is read, which takes long
  for (const std::string& id : ids) asked.push_back(prompts.of_case(root, id));
  prompts.check_all_used(root);
  std::vector<CaseAnswer> cases;
  for (const std::string& id : ids) {
    throw_if_stopped();
    const Volume mask = read_mask(root / id / "mask.nii.gz", vocabulary.size());
    cases.push_back(judge_tumors(asked[cases.size()], find_tumors(mask, vocabulary)));
    cases.back().id = id;  // samples of one prompt share its id
    if (on_case) on_case(static_cast<int64_t>(cases.size()), static_cast<int64_t>(ids.size()));
  }
  return summarize_answers(std::move(cases), options.by);
}

}  // namespace guidegen
