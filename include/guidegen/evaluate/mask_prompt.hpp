#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/evaluate/proportion.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// How well the tumors of a mask answer one organ of a prompt.
struct OrganAnswer {
  int64_t requested = 0;  ///< tumors asked for; a group whose count is open asks for one
  int64_t found = 0;
  bool count_open = false;  ///< some group of this organ leaves its count open
  Proportion position;      ///< of the tumors asked for at a position, those found there
  /// Requested and found diameters in mm, the largest with the largest.
  std::vector<std::pair<double, double>> sizes;

  int64_t answered() const { return std::min(requested, found); }
};

/// One case: what was asked and what the mask holds.
struct CaseAnswer {
  std::string id;
  Prompt prompt;
  std::vector<FoundTumor> found;
  std::map<TumorOrgan, OrganAnswer> organs;  ///< those that the prompt names
  int64_t stray = 0;                         ///< tumors outside the organs that the prompt names
  bool judged = false;                       ///< the prompt says something about tumors
  bool asks_none = false;                    ///< the prompt asks for no tumor at all
};

/// Figures over cases. All proportions are over what prompts ask for, so that open fields never
/// count.
struct AnswerSummary {
  Proportion organ;     ///< tumors asked for that are in the organ asked for
  Proportion position;  ///< tumors asked for at a position that are at that position
  Proportion count;     ///< (case, organ) with a given count whose number of tumors is exactly that
  std::vector<double> requested_mm;  ///< pairs for the rank correlation
  std::vector<double> found_mm;

  double size_correlation() const { return spearman(requested_mm, found_mm); }
};

struct MaskPromptReport {
  std::vector<CaseAnswer> cases;
  AnswerSummary all;
  std::map<TumorOrgan, AnswerSummary> by_organ;
  Proportion false_tumors;  ///< cases that ask for none and hold some
  Proportion stray;         ///< tumors found outside the organs named, in cases that ask for some
};

/// Judges one mask's tumors against its prompt.
CaseAnswer judge_tumors(const Prompt& prompt, const std::vector<FoundTumor>& found);

MaskPromptReport summarize_answers(std::vector<CaseAnswer> cases);

/// Judges every case folder (<id>/{prompt.json, mask.nii.gz}) of `root`: a data set or the output
/// of `guidegen generate`. `on_case` is told the number done and the total. Throws Error(kUsage)
/// when there is no case.
MaskPromptReport evaluate_mask_prompt(const std::filesystem::path& root,
                                      const Vocabulary& vocabulary,
                                      const std::function<void(int64_t, int64_t)>& on_case = {});

/// A table for people with 95 % intervals, and a final newline.
std::string to_table(const MaskPromptReport& report);
Json to_json(const MaskPromptReport& report);

}  // namespace guidegen
