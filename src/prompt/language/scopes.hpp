#pragma once

#include <optional>
#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// Marks what is denied, past, of the family or only looked for. A scope reaches from its trigger
/// over lists ("no nodules, masses or effusion") to the end of the clause; triggers that follow
/// ("was ruled out", "resected in 2010") reach back to the nearest findings.
void mark_scopes(std::vector<Item>& items);

/// The item that calls a whole scan normal ("a man of 40, normal"), or organs of a text whose
/// tumors are all of other organs ("her aunt had breast cancer, but her liver is clean"), if any.
std::optional<size_t> normal_scan(const std::vector<Item>& items);

}  // namespace guidegen::language
