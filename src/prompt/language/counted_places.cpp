#include "prompt/language/counted_places.hpp"

namespace guidegen::language {
namespace {

bool is_count(const std::vector<Item>& items, size_t at, size_t last) {
  const Item& item = items[at];
  if (item.kind == Kind::kCount) return is_tumor_count(item.number);
  if (item.kind != Kind::kNumber || !is_tumor_count(item.number)) return false;
  const bool ends = at + 1 >= last || items[at + 1].kind == Kind::kMark ||
                    items[at + 1].kind == Kind::kAnd || items[at + 1].kind == Kind::kTumor;
  return ends;
}

/// "2 right, 1 left", "2x liver, 1x lung"
std::vector<std::pair<Site, Said<int>>> counted_before(const std::vector<Item>& items, size_t first,
                                                       size_t last) {
  std::vector<std::pair<Site, Said<int>>> counted;
  for (const SiteList& list : sites_of(items, first, last)) {
    for (const Site& site : list.sites) {
      if (site.first == 0) continue;
      const Item& item = items[site.first - 1];
      // "lesions: 2 right, 1 left": the first number is part of the tumor phrase.
      const bool counts = item.kind == Kind::kCount || item.kind == Kind::kNumber ||
                          item.kind == Kind::kTumor;
      if (!counts || !is_tumor_count(item.number)) continue;
      counted.push_back({site, {static_cast<int>(item.number), {item.begin, item.end}}});
    }
  }
  return counted;
}

}  // namespace

bool is_tumor_count(double number) {
  return number >= 1 && number <= 20 && number == static_cast<double>(static_cast<int>(number));
}

std::vector<std::pair<Site, Said<int>>> counted_places(const std::vector<Item>& items, size_t first,
                                                       size_t last) {
  std::vector<std::pair<Site, Said<int>>> counted;
  size_t places = 0;
  for (const SiteList& list : sites_of(items, first, last)) {
    places += list.sites.size();
    const Site& site = list.sites.back();
    for (size_t i = site.last + 1; i < last && i < site.last + 4; ++i) {
      if (is_count(items, i, last)) {
        const int count = static_cast<int>(items[i].number);
        counted.push_back({site, {count, {items[i].begin, items[i].end}}});
        break;
      }
      const bool between = items[i].is_mark("(") || items[i].is_mark(":") ||
                           items[i].is_mark("=") || items[i].kind == Kind::kWith;
      if (!between) break;
    }
  }
  if (counted.size() != places) counted = counted_before(items, first, last);
  if (counted.size() != places) counted.clear();
  return counted;
}

}  // namespace guidegen::language
