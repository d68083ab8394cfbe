#pragma once

#include <vector>

#include "prompt/language/mentions.hpp"
#include "prompt/language/noun_phrases.hpp"

namespace guidegen::language {

/// What a noun phrase says by itself: "a 3 cm right renal mass". Its sentence ends at `last`.
Mention mention_of(const std::vector<Item>& items, const NounPhrase& phrase, size_t last);

void take_count(int count, const Item& item, Mention& mention);

/// Size, stage and what qualifies them; other items say nothing here.
void take_measure(const Item& item, Mention& mention);

/// More of the one place that is known, or a further place.
void add_place(const Place& place, Span span, Mention& mention);
void add_site(const Site& site, const std::vector<Item>& items, Mention& mention);

/// An organ, of prompts or not, is named.
bool has_organ(const Mention& mention);

}  // namespace guidegen::language
