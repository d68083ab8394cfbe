#pragma once

#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// Clauses of nothing but places and how many tumors there are. A number of a text without tumor
/// words becomes the tumor word ("liver: 2, lung: 3"); where there are none is taken out, so that
/// it denies no other tumors ("two on the left, none on the right"), or, where the text speaks of
/// nothing else, becomes a denied tumor ("liver: 0").
void read_tallies(std::vector<Item>& items);

/// "liver tumor and kidney tumor, both 3 cm": "both" counts tumors and not sides.
void read_both(std::vector<Item>& items);

}  // namespace guidegen::language
