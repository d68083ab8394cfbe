#include "prompt/language/expand.hpp"

#include <algorithm>

namespace guidegen::language {
namespace {

std::vector<Place> sides_of(Place place, const Mention& mention) {
  if (!mention.sided_sizes.empty()) place.side = Side::kBoth;
  return one_sided(place);
}

bool repeats(const std::vector<Group>& groups, const Group& group) {
  return std::any_of(groups.begin(), groups.end(), [&](const Group& other) {
    return other.organ == group.organ && agree(other.position, group.position);
  });
}

/// A single mass "in the body and tail of the pancreas" is one mass.
void keep_one_position(std::vector<Group>& groups, const Mention& mention) {
  const bool single =
      mention.grammar == Grammar::kDisease || !mention.count || mention.count->value == 1;
  if (!single || groups.size() < 2 || mention.each) return;
  const bool same = std::all_of(groups.begin(), groups.end(), [&](const Group& group) {
    return group.organ == groups.front().organ;
  });
  const bool sided =
      groups.front().organ == TumorOrgan::kKidney || groups.front().organ == TumorOrgan::kLung;
  if (same && !sided) groups.resize(1);
}

/// "two nodules, 8 mm and 14 mm": the tumors differ.
bool lists_each(const Mention& mention) {
  const size_t sizes = mention.sizes.size();
  // "lesion x2, 14 mm + 22 mm"
  const bool many =
      mention.grammar == Grammar::kMany || (mention.count && mention.count->value > 1);
  if (sizes < 2 || mention.largest || !many) return false;
  return !mention.several && (!mention.count || mention.count->value == static_cast<int>(sizes));
}

void one_a_size(const Mention& mention, std::vector<Group>& groups) {
  const Group pattern = groups.front();
  groups.clear();
  for (const auto& size : mention.sizes) {
    groups.push_back(pattern);
    groups.back().size_mm = size;
    groups.back().count = {1, mention.count ? mention.count->span : size.span};
  }
}

/// "in each kidney"
bool is_each(const Mention& mention) {
  return mention.places.size() == 1 && mention.places[0].value.each;
}

/// "bilateral renal masses", "a tumor in both lobes"; but not "metastases in both lobes".
bool is_one_a_side(const Mention& mention, const Group& group) {
  return !mention.several &&
         (mention.grammar == Grammar::kOne ||
          (mention.grammar == Grammar::kMany && group.organ == TumorOrgan::kKidney));
}

/// Counts and sizes of a mention among its places.
void share_out(const Mention& mention, bool paired, std::vector<Group>& groups) {
  const size_t places = groups.size();
  if (places == 1 && lists_each(mention)) {
    one_a_size(mention, groups);
    return;
  }
  const bool sided = places == 2 && !mention.sided_sizes.empty();
  for (size_t i = 0; i < places; ++i) {
    Group& group = groups[i];
    group.disease = mention.grammar == Grammar::kDisease;
    group.several = mention.several;
    group.open = mention.several || mention.grammar == Grammar::kMany;
    if (mention.grammar == Grammar::kOne ||
        (mention.grammar == Grammar::kDisease && mention.sizes.size() == 1)) {
      group.one = mention.span;
    }
    if (sided) {
      // one_sided gives the left first.
      const bool left_first = mention.sided_sizes[0].first == Side::kLeft;
      group.size_mm = mention.sided_sizes[left_first ? i : 1 - i].second;
      group.one = mention.span;
    } else if (mention.sizes.size() == places && !mention.largest) {
      group.size_mm = mention.sizes[i];
      // "nodules in the right (7 mm) and left lung (10 mm)"
      const bool one = mention.grammar == Grammar::kMany && places > 1 && !mention.several;
      if (one && !mention.count) group.count = {1, mention.sizes[i].span};
    } else {
      group.size_mm = size_of(mention);
    }
    if (is_each(mention)) {
      // "two tumors in each kidney", "a tumor in each lung"
      const int count = mention.count ? mention.count->value : 1;
      const bool open = !mention.count && mention.grammar != Grammar::kOne;
      const Span span = mention.count ? mention.count->span : mention.span;
      if (!open) group.count = {paired ? count : 2 * count, span};
    } else if (mention.count) {
      const int count = mention.count->value;
      const bool each = places == 1 || mention.each || count == 1;
      if (each) group.count = mention.count;
      if (!each && count == static_cast<int>(places)) group.count = {1, mention.count->span};
    } else if (is_one_a_side(mention, group) && paired && places == 2) {
      group.count = {1, group.organ_span};
    }
  }
}

}  // namespace

std::optional<Said<double>> size_of(const Mention& mention) {
  if (mention.sizes.empty()) return std::nullopt;
  return *std::max_element(mention.sizes.begin(), mention.sizes.end(),
                           [](const auto& a, const auto& b) { return a.value < b.value; });
}

std::vector<Group> expand(const Mention& mention) {
  std::vector<Group> groups;
  bool paired = false;
  for (const auto& place : mention.places) {
    if (!place.value.organ || place.value.outside) continue;
    const std::vector<Place> sides = sides_of(place.value, mention);
    paired = paired || sides.size() > 1;
    for (const Place& side : sides) {
      Group group;
      group.organ = *side.organ;
      group.organ_span = place.span;
      if (const auto position = position_of(side)) group.position = {*position, place.span};
      group.stage = mention.stage;
      if (!repeats(groups, group)) groups.push_back(group);
    }
  }
  if (mention.grammar != Grammar::kMany && !paired) keep_one_position(groups, mention);
  share_out(mention, paired, groups);
  return groups;
}

}  // namespace guidegen::language
