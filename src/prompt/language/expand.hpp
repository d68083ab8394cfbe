#pragma once

#include <optional>
#include <vector>

#include "prompt/language/groups.hpp"

namespace guidegen::language {

/// The largest size that is said.
std::optional<Said<double>> size_of(const Mention& mention);

/// One group a place, with the counts and sizes shared out among them; an empty list when the
/// mention names no organ of prompts.
std::vector<Group> expand(const Mention& mention);

/// Two descriptions may be of the same tumors: nothing that both say differs.
template <typename T>
bool agree(const std::optional<Said<T>>& a, const std::optional<Said<T>>& b) {
  return !a || !b || a->value == b->value;
}

}  // namespace guidegen::language
