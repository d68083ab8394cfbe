#include "prompt/language/counted_places.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "prompt/language/lone_numbers.hpp"

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
CountedPlaces counted_before(const std::vector<Item>& items, size_t first, size_t last) {
  CountedPlaces counted;
  for (const SiteList& list : sites_of(items, first, last)) {
    for (const Site& site : list.sites) {
      if (site.first == 0) continue;
      const Item& item = items[site.first - 1];
      // "lesions: 2 right, 1 left": the first number is part of the tumor phrase.
      const bool counts =
          item.kind == Kind::kCount || item.kind == Kind::kNumber || item.kind == Kind::kTumor;
      if (!counts || !is_tumor_count(item.number)) continue;
      counted.push_back({site, {static_cast<int>(item.number), {item.begin, item.end}}});
    }
  }
  return counted;
}

/// "2x LUL 7 mm, 1x RLL 12 mm", "liver 2 (20 mm, 35 mm), lung 1 (8 mm)": sizes that follow a place
/// are those of its tumors, if every place has some.
void share_sizes(const Mention& whole, const CountedPlaces& places, const std::vector<Item>& items,
                 std::vector<Mention>& mentions) {
  std::vector<std::vector<Said<double>>> sizes(places.size());
  for (const Said<double>& size : whole.sizes) {
    for (size_t k = places.size(); k-- > 0;) {
      if (items[places[k].first.first].begin > size.span.begin) continue;
      sizes[k].push_back(size);
      break;
    }
  }
  const bool all =
      std::none_of(sizes.begin(), sizes.end(), [](const auto& one) { return one.empty(); });
  for (size_t k = 0; all && k < places.size(); ++k) mentions[k].sizes = sizes[k];
}

}  // namespace

CountedPlaces counted_places(const std::vector<Item>& items, size_t first, size_t last) {
  CountedPlaces counted;
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
                           items[i].is_mark("=") || items[i].is_mark("-") ||
                           items[i].kind == Kind::kWith;
      if (!between) break;
    }
  }
  if (counted.size() != places) counted = counted_before(items, first, last);
  // "metastases in the liver (2 right, 1 left)"
  const std::vector<SiteList> lists = sites_of(items, first, last);
  const bool under_organ = counted.size() > 1 && counted.size() + 1 == places &&
                           lists.front().sites.size() == 1 &&
                           lists.front().first != counted.front().first.first;
  if (!under_organ) return counted.size() == places ? counted : CountedPlaces();
  for (auto& [site, count] : counted) {
    site.place = merged(site.place, lists.front().sites.front().place).value_or(site.place);
  }
  return counted;
}

std::vector<Mention> shared_out(const Mention& whole, const CountedPlaces& before,
                                const CountedPlaces& after, const std::vector<Item>& items) {
  if (before.empty() && after.size() == 1 && !whole.count && whole.grammar == Grammar::kMany &&
      !whole.several) {
    // "tumors: right kidney 1 (40 mm)"
    Mention counted = whole;
    counted.count = after.front().second;
    return {counted};
  }
  // "liver (3), lung (1) mets"
  const bool tallies = before.size() > 1 && after.empty() && !whole.count;
  const bool lists = (after.size() > 1 && before.empty()) || tallies;
  const bool opens = !before.empty() && after.empty() && whole.count && !whole.places.empty();
  if (!lists && !opens) return {whole};
  std::vector<Mention> mentions;
  const CountedPlaces& places = lists && !tallies ? after : before;
  for (const auto& [site, count] : places) {
    Mention mention = whole;
    Place organ;
    if (!whole.places.empty() && !tallies) organ.organ = whole.places[0].value.organ;
    const Place place = merged(site.place, organ).value_or(site.place);
    mention.places = {{place, {items[site.first].begin, items[site.last].end}}};
    mention.count = count;
    mention.grammar = Grammar::kMany;
    mentions.push_back(mention);
  }
  if (!tallies) share_sizes(whole, places, items, mentions);
  if (opens) mentions.push_back(whole);
  return mentions;
}

std::vector<Mention> one_a_site(const Mention& whole, const std::vector<SiteList>& lists,
                                const std::vector<Item>& items) {
  std::vector<Site> sites;
  for (const SiteList& list : lists)
    sites.insert(sites.end(), list.sites.begin(), list.sites.end());
  const auto is_whole = [](const Site& site) {
    return site.place.organ && !site.place.side && site.place.part.empty() && !site.place.implied;
  };
  if (!sites.empty() && is_whole(sites.front())) sites.erase(sites.begin());
  const bool told = whole.grammar == Grammar::kMany && whole.count && whole.sizes.size() < 2;
  const bool one = told && sites.size() > 2 && whole.count->value == static_cast<int>(sites.size());
  if (!one) return {whole};
  std::vector<Mention> mentions;
  for (const Site& site : sites) {
    Mention mention = whole;
    Place organ;
    if (!whole.places.empty()) organ.organ = whole.places[0].value.organ;
    const Place place = merged(site.place, organ).value_or(site.place);
    mention.places = {{place, {items[site.first].begin, items[site.last].end}}};
    mention.count->value = 1;
    mention.another = !mentions.empty();
    mentions.push_back(std::move(mention));
  }
  return mentions;
}

bool has_size_each(const std::vector<SiteList>& lists, const Mention& mention) {
  size_t sites = 0;
  std::set<TumorOrgan> organs;
  for (const SiteList& list : lists) {
    sites += list.sites.size();
    for (const Site& site : list.sites) {
      if (site.place.organ) organs.insert(*site.place.organ);
    }
  }
  const bool differ = mention.grammar == Grammar::kMany || organs.size() == sites;
  return sites > 1 && lists.size() > 1 && sites == mention.sizes.size() && differ;
}

void pair_sizes(const std::vector<SiteList>& lists, const std::vector<Item>& items,
                Mention& mention) {
  const std::vector<Said<Place>> before = std::exchange(mention.places, {});
  for (const SiteList& list : lists) {
    for (const Site& site : list.sites) {
      Place place = site.place;
      for (const auto& known : before) {
        if (const auto both = merged(known.value, place)) place = *both;
      }
      // "3 cm in the head of the pancreas, 1.5 cm in the tail"
      if (!place.organ && !place.outside && !mention.places.empty()) {
        Place organ;
        organ.organ = mention.places.back().value.organ;
        place = merged(place, organ).value_or(place);
      }
      mention.places.push_back({place, {items[site.first].begin, items[site.last].end}});
    }
  }
}

}  // namespace guidegen::language
