#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "prompt/language/language_file.hpp"

namespace guidegen::language {

/// A stage that starts at `at`, as prompts write it, and one past its last atom: "pT2aN0M0" is T2a,
/// "stage 3b" is IIIB.
std::optional<std::pair<std::string, size_t>> read_stage(const std::vector<Atom>& atoms, size_t at,
                                                         const Language& language);

/// A word that can be nothing but an overall stage without the word "stage": "IIIB" is, "IV" is
/// not. Empty when it is none.
std::string bare_stage(const std::string& folded);

}  // namespace guidegen::language
