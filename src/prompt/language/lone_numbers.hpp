#pragma once

#include <utility>
#include <vector>

#include "prompt/language/mentions.hpp"

namespace guidegen::language {

/// Numbers that stand beside tumor words, among the items [first, last) of one sentence.

/// A whole number that may count tumors.
bool is_tumor_count(double number);

/// "metastases (3)", "metastases, 3, in the liver", "tumors: 3"
bool is_lone_count(const std::vector<Item>& items, size_t at, size_t first, size_t last);

/// "boy 6 kidney tumor": the number beside the person is no count of one tumor.
bool is_of_singular(const std::vector<Item>& items, size_t at);

/// Whether the count at `at` is one of people: "one 80-year-old lady".
bool counts_person(const std::vector<Item>& items, size_t at, size_t last);

/// "left 2 cm, right 3 cm", "3 cm on the right, 2 cm on the left"; empty where the items hold
/// anything but that.
std::vector<std::pair<Side, Said<double>>> sided_sizes(const std::vector<Item>& items, size_t first,
                                                       size_t last);

}  // namespace guidegen::language
