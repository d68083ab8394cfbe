#pragma once

#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// Marks what is denied, past, of the family or only looked for. A scope reaches from its trigger
/// over lists ("no nodules, masses or effusion") to the end of the clause; triggers that follow
/// ("was ruled out", "resected in 2010") reach back to the nearest findings.
void mark_scopes(std::vector<Item>& items);

}  // namespace guidegen::language
