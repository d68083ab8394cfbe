#pragma once

#include <string_view>
#include <vector>

#include "prompt/language/language_file.hpp"

namespace guidegen::language {

/// Tokens of a text with misspellings corrected, compounds taken apart, and with numbers, sizes and
/// stages put together: "sixty-two", "4.5 x 3 cm", "T2N0M0", "stage 3a".
std::vector<Atom> atoms_of(std::string_view utf8, const Language& language);

}  // namespace guidegen::language
