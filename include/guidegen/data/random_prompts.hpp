#pragma once

#include <cstdint>
#include <vector>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

struct PromptDraw {
  int64_t count = 200;
  uint64_t seed = 0;
  /// Deal organs evenly, each organ's positions evenly, and the number of groups a prompt in its
  /// shares, instead of drawing them.
  bool balanced = false;
};

/// Prompts with all fields about patient and tumors set, drawn from the priors of the phantoms
/// (data/phantom.hpp) without painting one. Ids are "prompt-<seed>-000001"…; what a prompt says
/// depends on seed and id alone (balanced: on the prompts before it, too), so a longer list starts
/// with the shorter one. As phantoms have other ids, none of them is a phantom of any data set.
///
/// Tumors are as planned: of a phantom's tumors some find no room, and sizes are measured. Groups
/// at one position are joined, as they are when a mask is described. 25 % of prompts ask for no
/// tumor, 55 % for one group and 20 % for two.
std::vector<Prompt> draw_prompts(const PromptDraw& draw);

}  // namespace guidegen
