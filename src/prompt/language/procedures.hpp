#pragma once

#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// Operations tell what tumors there were: "s/p right hemicolectomy", "nephrectomy for RCC",
/// "colon cancer treated with surgery". Marks as past what they removed, unless they are planned
/// ("scheduled for nephrectomy"), and takes their sides and organs out of the text. For the items
/// [first, last) of one sentence.
void mark_procedures(std::vector<Item>& items, size_t first, size_t last);

/// Whether what stands at `at` has yet to happen: "to be resected", "resection is planned".
bool is_planned(const std::vector<Item>& items, size_t first, size_t last, size_t at);

}  // namespace guidegen::language
