#pragma once

#include <utility>
#include <vector>

#include "prompt/language/mentions.hpp"

namespace guidegen::language {

using SizedPlaces = std::vector<std::pair<Said<Place>, Said<double>>>;

/// Places that have a size each, all before one tumor word: "4 cm left and 2 cm right renal" of
/// masses, "RLL 12 mm, LUL 6 mm" of nodules. Among the items [first, last); empty where they are
/// anything but two or more such pairs.
SizedPlaces sized_places(const std::vector<Item>& items, size_t first, size_t last);

/// "nodules: RUL 5 mm, RML 4 mm, LLL 9 mm": the pairs after a tumor word where they can be all that
/// it counts, else none.
SizedPlaces told_each(const Mention& mention, SizedPlaces pairs);

/// A mention of one tumor for each of the pairs; the mention alone where there are none.
std::vector<Mention> one_a_place(const Mention& whole, const SizedPlaces& pairs);

/// "one in the left, one in the right lobe, each 8 mm": the size is that of all before, too.
void share_size_of_each(std::vector<Mention>& mentions);

}  // namespace guidegen::language
