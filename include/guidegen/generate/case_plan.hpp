#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// One (text, mask, CT) triplet to make.
struct PlannedCase {
  std::string id;  ///< folder name: the prompt's id, with "-s01", "-s02"… when it wants samples
  Prompt prompt;   ///< describes this case alone: `id` and `seed` are its own, `samples` is 1
  std::string source;  ///< id of the prompt in its file
  bool selected = true;
  /// Where the prompt's text said something else than its fields, which won.
  std::vector<std::string> contradictions = {};
};

/// Which cases of a prompt file to make.
struct CaseSelection {
  std::optional<int> samples;     ///< samples a prompt, instead of what the prompts say; 1…1000
  std::optional<int64_t> limit;   ///< the first so many of those selected; >= 1
  std::vector<std::string> only;  ///< ids of prompts or cases; empty: all
};

/// All cases of the prompts in order, those outside the selection with `selected` false. Sample i
/// (from 0) of a prompt has seed prompt.seed + i. Throws Error(kUsage) naming `source` when two
/// cases would share an id, or naming an id of `only` that is not there.
std::vector<PlannedCase> plan_cases(const std::vector<Prompt>& prompts,
                                    const CaseSelection& selection, const std::string& source);

/// Seed of attempt k at a case: the case's own seed at first, then numbers below 2^53 drawn from
/// (case seed, case id, k), so that a retry depends on nothing else that runs.
uint64_t attempt_seed(const PlannedCase& planned, int attempt);

/// Seed of the noise of attempt k at the CT of a mask: the mask's own seed at first, then numbers
/// below 2^53 drawn from (mask seed, case id, k).
uint64_t ct_attempt_seed(const PlannedCase& planned, uint64_t mask_seed, int attempt);

/// The prompt in words: its own text, or the structured template.
std::string text_of(const Prompt& prompt);

}  // namespace guidegen
