#pragma once

#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// "it started in the bowel and has spread to his liver" names a tumor without a word for it; where
/// the text has such a word, or says of no spread, "started in" is only a preposition.
void read_origins(std::vector<Item>& items);

/// "metastatic colon cancer to the liver": "to" is "spread to".
void read_metastatic(std::vector<Item>& items);

}  // namespace guidegen::language
