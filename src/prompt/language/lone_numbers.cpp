#include "prompt/language/lone_numbers.hpp"

namespace guidegen::language {

bool is_tumor_count(double number) {
  return number >= 1 && number <= 20 && number == static_cast<double>(static_cast<int>(number));
}

bool is_lone_count(const std::vector<Item>& items, size_t at, size_t first, size_t last) {
  const Item& item = items[at];
  if (item.kind != Kind::kNumber || !is_tumor_count(item.number)) return false;
  if (at == first) return false;
  const Item& before = items[at - 1];
  const bool labelled = before.is_mark(":") || before.is_mark("=");
  // "kidney tumors 2, right"
  const bool follows = before.kind == Kind::kTumor && before.meaning->grammar == Grammar::kMany;
  if (at + 1 >= last) return labelled || follows;
  const Item& after = items[at + 1];
  if (follows && (after.is_mark(",") || after.is_mark(".") || after.kind == Kind::kPreposition)) {
    return true;
  }
  return (before.is_mark("(") && after.is_mark(")")) ||
         (before.is_mark(",") && after.is_mark(",")) ||
         (labelled && (after.kind == Kind::kMark || before.is_mark("=")));
}

bool is_of_singular(const std::vector<Item>& items, size_t at) {
  if (at == 0 || items[at].kind != Kind::kNumber || items[at].number < 2) return false;
  if (items[at - 1].kind != Kind::kSex && items[at - 1].kind != Kind::kPerson) return false;
  size_t head = at + 1;
  while (head < items.size() &&
         (items[head].kind == Kind::kPlace || items[head].kind == Kind::kUnknown)) {
    ++head;
  }
  return head > at + 1 && head < items.size() && items[head].kind == Kind::kTumor &&
         items[head].meaning->grammar != Grammar::kMany;
}

bool counts_person(const std::vector<Item>& items, size_t at, size_t last) {
  for (size_t i = at + 1; i < last && items[i].kind != Kind::kMark; ++i) {
    const Kind kind = items[i].kind;
    if (kind == Kind::kSex || kind == Kind::kPerson || kind == Kind::kAge) return true;
    if (kind != Kind::kUnknown && kind != Kind::kRace) return false;
  }
  return false;
}

std::vector<std::pair<Side, Said<double>>> sided_sizes(const std::vector<Item>& items, size_t first,
                                                       size_t last) {
  std::vector<std::pair<Side, Said<double>>> sizes;
  const Item* side = nullptr;
  const Item* size = nullptr;
  for (size_t i = first; i < last; ++i) {
    const Item& item = items[i];
    if (item.kind == Kind::kPlace) {
      const Place& place = item.meaning->place;
      if (place.organ || !place.side || *place.side == Side::kBoth) continue;
      side = &item;
    } else if (item.kind == Kind::kSize) {
      size = &item;
    }
    if (side == nullptr || size == nullptr) continue;
    sizes.push_back({*side->meaning->place.side, {size->number, {size->begin, size->end}}});
    side = size = nullptr;
  }
  if (sizes.size() != 2 || sizes[0].first == sizes[1].first) sizes.clear();
  return sizes;
}

}  // namespace guidegen::language
