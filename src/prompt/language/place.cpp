#include "prompt/language/place.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace guidegen::language {
namespace {

bool is_lung_part(const std::string& part) {
  return part == "upper" || part == "middle" || part == "lower";
}

bool is_part(const std::string& word) {
  static const std::array<const char*, 10> parts{
      "upper",      "middle",         "lower", "ascending", "transverse",
      "descending", "sigmoid-rectum", "head",  "body",      "tail"};
  return std::find(parts.begin(), parts.end(), word) != parts.end();
}

bool read_word(std::string word, Place& place) {
  if (word == "outside") return place.outside = true;
  if (word == "left" || word == "right" || word == "both") {
    place.side = word == "left" ? Side::kLeft : word == "right" ? Side::kRight : Side::kBoth;
    return true;
  }
  if (word == "each") {
    place.side = Side::kBoth;
    return place.each = true;
  }
  if (is_part(word)) {
    place.part = word;
    return true;
  }
  if (word.ends_with("?")) {
    place.implied = true;
    word.pop_back();
  }
  const std::vector<std::string> names = tumor_organ_names();
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) return false;
  place.organ = static_cast<TumorOrgan>(found - names.begin());
  return true;
}

bool fits(TumorOrgan organ, const std::string& part) {
  if (part.empty()) return true;
  if (is_lung_part(part)) return organ == TumorOrgan::kLung;
  const std::vector<TumorPosition> positions = positions_of(organ);
  return std::any_of(positions.begin(), positions.end(),
                     [&](TumorPosition position) { return name_of(position) == part; });
}

std::optional<TumorPosition> lung_position(const Place& place) {
  if (!place.side || place.part.empty()) return std::nullopt;
  const bool lower = place.part == "lower";
  if (*place.side == Side::kLeft) {
    return lower ? TumorPosition::kLungLeftLower : TumorPosition::kLungLeftUpper;
  }
  return lower ? TumorPosition::kLungRightLower : TumorPosition::kLungRightUpperMiddle;
}

std::optional<TumorPosition> colon_position(const Place& place) {
  for (const TumorPosition position : positions_of(TumorOrgan::kColon)) {
    if (name_of(position) == place.part) return position;
  }
  if (!place.side) return std::nullopt;
  return *place.side == Side::kLeft ? TumorPosition::kColonDescending
                                    : TumorPosition::kColonAscending;
}

std::optional<TumorPosition> pancreas_position(const Place& place) {
  for (const TumorPosition position : positions_of(TumorOrgan::kPancreas)) {
    if (name_of(position) == place.part) return position;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Place> parse_place(const std::string& words) {
  Place place;
  std::istringstream stream(words);
  bool any = false;
  for (std::string word; stream >> word; any = true) {
    if (!read_word(word, place)) return std::nullopt;
  }
  if (!any || (place.organ && !fits(*place.organ, place.part))) return std::nullopt;
  return place;
}

std::optional<Place> merged(const Place& a, const Place& b) {
  Place both = a;
  if (a.organ && b.organ && *a.organ != *b.organ) {
    if (!a.implied && !b.implied) return std::nullopt;
    if (a.implied) both.organ = b.organ;
  } else if (!a.organ) {
    both.organ = b.organ;
  }
  both.implied = (!a.organ || a.implied) && (!b.organ || b.implied);
  both.outside = a.outside || b.outside;
  if (both.outside && both.organ && !both.implied) return std::nullopt;
  if (a.side && b.side && *a.side != *b.side) return std::nullopt;
  if (!a.side) both.side = b.side;
  both.each = a.each || b.each;
  if (!a.part.empty() && !b.part.empty() && a.part != b.part) return std::nullopt;
  if (a.part.empty()) both.part = b.part;
  // "upper lobe" of the liver, "upper pole" of a kidney: nothing that a prompt can say.
  if (both.organ && !fits(*both.organ, both.part)) both.part.clear();
  return both;
}

std::optional<TumorPosition> position_of(const Place& place) {
  if (!place.organ) return std::nullopt;
  if (place.side == Side::kBoth) return std::nullopt;
  switch (*place.organ) {
    case TumorOrgan::kLung:
      return lung_position(place);
    case TumorOrgan::kColon:
      return colon_position(place);
    case TumorOrgan::kPancreas:
      return pancreas_position(place);
    case TumorOrgan::kKidney:
    case TumorOrgan::kLiver:
      break;
  }
  if (!place.side) return std::nullopt;
  const std::vector<TumorPosition> positions = positions_of(*place.organ);
  return positions.at(*place.side == Side::kLeft ? 0 : 1);
}

std::vector<Place> one_sided(const Place& place) {
  if (place.side != Side::kBoth || !place.organ) return {place};
  Place left = place;
  Place right = place;
  left.side = Side::kLeft;
  right.side = Side::kRight;
  if (position_of(left) && position_of(right)) return {left, right};
  left.side.reset();
  return {left};
}

}  // namespace guidegen::language
