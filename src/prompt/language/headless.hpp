#pragma once

#include <vector>

#include "prompt/language/mentions.hpp"

namespace guidegen::language {

/// What a sentence [first, last) without a tumor word only says more of: "Size: 3 cm.", "It is in
/// the left kidney." `known`: tumors were mentioned before. Empty when it says nothing of tumors.
std::vector<Mention> without_head(const std::vector<Item>& items, size_t first, size_t last,
                                  bool known);

}  // namespace guidegen::language
