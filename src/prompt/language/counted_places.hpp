#pragma once

#include <utility>
#include <vector>

#include "prompt/language/mentions.hpp"

namespace guidegen::language {

using CountedPlaces = std::vector<std::pair<Site, Said<int>>>;

/// Places that have counts of their own among the items [first, last): "lung (2), liver (3)",
/// "right lung two, left lung one". Empty where another number of places is named than counted.
CountedPlaces counted_places(const std::vector<Item>& items, size_t first, size_t last);

/// A mention a place: "masses in lung (2), liver (3)", "right lung two, left lung one tumor". The
/// places stand before and after the only mention of a sentence; the mention alone without them.
std::vector<Mention> shared_out(const Mention& whole, const CountedPlaces& before,
                                const CountedPlaces& after, const std::vector<Item>& items);

/// "3 lesions: seg 2, seg 4a, seg 8": one a place where as many places are named as tumors, three
/// or more; else the mention alone.
std::vector<Mention> one_a_site(const Mention& whole, const std::vector<SiteList>& lists,
                                const std::vector<Item>& items);

/// "(RLL 8 mm, LUL 6 mm)": as many places as sizes, each of its own.
bool has_size_each(const std::vector<SiteList>& lists, const Mention& mention);

/// Gives the mention those places, in the order of its sizes.
void pair_sizes(const std::vector<SiteList>& lists, const std::vector<Item>& items,
                Mention& mention);

}  // namespace guidegen::language
