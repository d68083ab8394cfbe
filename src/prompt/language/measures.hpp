#pragma once

#include <vector>

#include "prompt/language/language_file.hpp"

namespace guidegen::language {

/// Joins number words, then stages, then sizes: of "a x b x c" the largest, of a range the middle.
std::vector<Atom> with_measures(const std::vector<Atom>& atoms, const Language& language);

}  // namespace guidegen::language
