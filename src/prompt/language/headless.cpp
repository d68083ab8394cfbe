#include "prompt/language/headless.hpp"

#include "prompt/language/lone_numbers.hpp"
#include "prompt/language/phrase_mention.hpp"

namespace guidegen::language {

std::vector<Mention> without_head(const std::vector<Item>& items, size_t first, size_t last,
                                  bool known) {
  Mention mention;
  bool label = true;
  const auto ends = [&](size_t at) { return at >= last || items[at].kind == Kind::kMark; };
  mention.sentence = items[first].sentence;
  for (const SiteList& list : sites_of(items, first, last)) {
    for (const Site& site : list.sites) add_site(site, items, mention);
  }
  for (size_t i = first; i < last; ++i) {
    const Item& item = items[i];
    take_measure(item, mention);
    // "liver, left, 2, 15 mm"
    const bool alone = item.kind == Kind::kNumber && is_tumor_count(item.number) && ends(i + 1) &&
                       !(i + 1 < last && items[i + 1].is_mark(".")) &&
                       (i == first || items[i - 1].is_mark(",") || items[i - 1].is_mark("/"));
    const bool told = !mention.places.empty() || i == first;
    if (alone && told && !mention.count)
      mention.count = {static_cast<int>(item.number), Span{item.begin, item.end}};
    label = label && (item.kind == Kind::kStage || item.kind == Kind::kMark);
    if (item.negated || item.past || item.family || item.sought) return {};
  }
  const bool says =
      !mention.places.empty() || !mention.sizes.empty() || mention.stage || mention.count;
  if (!says) return {};
  // "The largest tumor, 6 cm, sits in the right hepatic lobe."
  mention.has_head = mention.largest && !known && has_organ(mention);
  mention.label = label;
  mention.span = {items[first].begin, items[last - 1].end};
  return {mention};
}

}  // namespace guidegen::language
