#pragma once

#include <utility>
#include <vector>

#include "prompt/language/mentions.hpp"

namespace guidegen::language {

/// Places that have counts of their own among the items [first, last): "lung (2), liver (3)",
/// "right lung two, left lung one". Empty where another number of places is named than counted.
std::vector<std::pair<Site, Said<int>>> counted_places(const std::vector<Item>& items, size_t first,
                                                       size_t last);

/// A whole number that may count tumors.
bool is_tumor_count(double number);

}  // namespace guidegen::language
