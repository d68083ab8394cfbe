#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/evaluate/answer_summary.hpp"
#include "guidegen/evaluate/confusion.hpp"
#include "guidegen/evaluate/tumor_answers.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// The figures of a part of what was asked: "size", "<16 mm" or "sex", "female".
struct Subgroup {
  std::string by;
  std::string name;
  AnswerSummary summary;
};

struct MaskPromptReport {
  std::vector<CaseAnswer> cases;
  AnswerSummary all;
  std::map<TumorOrgan, AnswerSummary> by_organ;
  std::vector<Subgroup> subgroups;
  std::vector<PositionMatrix> positions;
  CountTable counts;
};

/// What a report may be split by: "size" of the tumors asked for, "sex" of the patient.
std::vector<std::string> subgroup_names();

/// `by`: of subgroup_names(); throws Error(kUsage) for others. Subgroups without a case are left
/// out.
MaskPromptReport summarize_answers(std::vector<CaseAnswer> cases,
                                   const std::vector<std::string>& by = {},
                                   const BootstrapOptions& options = {});

struct MaskPromptOptions {
  /// Judge against these instead of the prompt.json of each folder: every case must be one of them
  /// or a sample of one ("<id>-s01"), and every prompt must have a case.
  std::vector<Prompt> prompts;
  std::string source;           ///< of these prompts, for messages
  std::vector<std::string> by;  ///< of subgroup_names()
};

/// Judges every case folder (<id>/{prompt.json, mask.nii.gz}) of `root`: a data set or the output
/// of `guidegen generate`. `on_case` is told the number done and the total. Throws Error(kUsage)
/// when there is no case, or when prompts and cases don't belong together.
MaskPromptReport evaluate_mask_prompt(const std::filesystem::path& root,
                                      const Vocabulary& vocabulary,
                                      const MaskPromptOptions& options = {},
                                      const std::function<void(int64_t, int64_t)>& on_case = {});

/// Tables for people with 95 % intervals, and a final newline.
std::string to_table(const MaskPromptReport& report);
Json to_json(const MaskPromptReport& report);
/// The same as one HTML page without outside parts, matrices in color.
std::string to_page(const MaskPromptReport& report, const std::string& title);

}  // namespace guidegen
