#include "prompt/language/sized_places.hpp"

#include <optional>

namespace guidegen::language {

SizedPlaces sized_places(const std::vector<Item>& items, size_t first, size_t last) {
  std::vector<Said<Place>> places;
  std::vector<Said<double>> sizes;
  bool alternate = true;
  bool place_before = false;
  size_t terms = 0;
  for (size_t i = first; i < last; ++i) {
    const Item& item = items[i];
    if (item.kind == Kind::kSize) {
      sizes.push_back({item.number, {item.begin, item.end}});
      alternate = alternate && (terms == 0 || place_before);
      place_before = false;
      ++terms;
    } else if (item.kind == Kind::kPlace) {
      const Place& place = item.meaning->place;
      // "liver: segment 2: 14 mm"
      const bool under_organ = place_before && i > first + 1 && items[i - 1].is_mark(":") &&
                               !places.back().value.side && places.back().value.part.empty();
      const bool goes_on = place_before && (items[i - 1].kind == Kind::kPlace || under_organ);
      const auto both = goes_on ? merged(places.back().value, place) : std::nullopt;
      if (both) {
        places.back().value = *both;
        places.back().span.end = item.end;
        continue;
      }
      places.push_back({place, {item.begin, item.end}});
      alternate = alternate && !place_before;
      place_before = true;
      ++terms;
    } else if (item.kind == Kind::kNumber || item.kind == Kind::kCount) {
      return {};
    }
  }
  if (!alternate || places.size() < 2 || places.size() != sizes.size()) return {};
  SizedPlaces pairs;
  Place organ;
  organ.organ = places.back().value.organ;
  for (size_t i = 0; i < places.size(); ++i) {
    places[i].value = merged(places[i].value, organ).value_or(places[i].value);
    pairs.emplace_back(places[i], sizes[i]);
  }
  return pairs;
}

SizedPlaces told_each(const Mention& mention, SizedPlaces pairs) {
  const int count = static_cast<int>(pairs.size());
  // "HCC 4 cm segment 7 + 1.5 cm segment 3"
  const bool disease = mention.grammar == Grammar::kDisease && !mention.count;
  const bool many = mention.grammar == Grammar::kMany && count > 2;
  const bool each = (disease || many) && !mention.largest && !mention.several &&
                    (!mention.count || mention.count->value == count);
  if (!each) pairs.clear();
  return pairs;
}

std::vector<Mention> one_a_place(const Mention& whole, const SizedPlaces& pairs) {
  if (pairs.empty()) return {whole};
  std::vector<Mention> mentions;
  for (const auto& [place, size] : pairs) {
    Mention mention = whole;
    Place known;
    if (!place.value.organ && !whole.places.empty()) {
      known.organ = whole.places.back().value.organ;
    }
    mention.places = {{merged(place.value, known).value_or(place.value), place.span}};
    mention.sizes = {size};
    mention.count = {1, size.span};
    mention.grammar = Grammar::kOne;
    mentions.push_back(std::move(mention));
  }
  return mentions;
}

void share_size_of_each(std::vector<Mention>& mentions) {
  if (mentions.empty()) return;
  const Mention last = mentions.back();
  const bool each = last.each && last.sizes.size() == 1;
  for (size_t i = mentions.size(); each && i-- > 0;) {
    if (last.one_of_them && !mentions[i].one_of_them) return;
    if (mentions[i].sizes.empty()) mentions[i].sizes = last.sizes;
  }
}

}  // namespace guidegen::language
