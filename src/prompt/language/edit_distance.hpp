#pragma once

#include <cstddef>
#include <string_view>

namespace guidegen::language {

/// Damerau–Levenshtein distance (optimal string alignment) in bytes; `limit` + 1 or more where it
/// exceeds `limit`.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

}  // namespace guidegen::language
