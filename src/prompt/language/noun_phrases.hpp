#pragma once

#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// A tumor word with what stands before it as one phrase: "a 3 cm right renal mass".
struct NounPhrase {
  size_t begin = 0;  ///< items: the phrase
  size_t first = 0;  ///< items: the tumor words, last inclusive
  size_t last = 0;
  bool pronoun = false;  ///< "one", "two", "another", followed by a place
};

/// The noun phrases of tumors and benign findings among the items [first, last) of one sentence.
/// `known` says that tumors were mentioned before, to which pronouns may refer.
std::vector<NounPhrase> noun_phrases(const std::vector<Item>& items, size_t first, size_t last,
                                     bool known);

}  // namespace guidegen::language
