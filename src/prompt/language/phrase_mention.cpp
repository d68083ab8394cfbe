#include "prompt/language/phrase_mention.hpp"

#include <algorithm>

#include "prompt/language/lone_numbers.hpp"

namespace guidegen::language {
namespace {

Span span_of(const Item& item) { return {item.begin, item.end}; }

void take_head(const Item& item, Mention& mention) {
  mention.negated = mention.negated || item.negated;
  mention.past = mention.past || item.past;
  mention.family = mention.family || item.family;
  mention.sought = mention.sought || item.sought;
  mention.benign = mention.benign || item.kind == Kind::kBenign;
  mention.no_lesion = item.kind == Kind::kBenign && item.meaning->value == "finding";
  if (item.kind != Kind::kTumor) return;
  mention.absent = item.meaning->value == "absent";
  mention.negated = mention.negated || mention.absent;
  // "tumors: 2"
  if (is_tumor_count(item.number)) take_count(static_cast<int>(item.number), item, mention);
  if (item.meaning->grammar != Grammar::kDisease) mention.grammar = item.meaning->grammar;
}

void take_modifier(const Item& item, Mention& mention) {
  switch (item.kind) {
    case Kind::kArticle:
      take_count(1, item, mention);
      mention.from_article = true;
      break;
    case Kind::kNumber:
      if (is_tumor_count(item.number)) take_count(static_cast<int>(item.number), item, mention);
      break;
    case Kind::kCount:
      if (is_tumor_count(item.number)) take_count(static_cast<int>(item.number), item, mention);
      mention.several = mention.several || item.number == 0;
      // "a lung full of tumors"
      if (item.number == 0 && mention.from_article) mention.count.reset();
      break;
    case Kind::kOneOfThem:
      take_count(1, item, mention);
      break;
    case Kind::kAnother:
      take_count(1, item, mention);
      mention.another = true;
      break;
    case Kind::kDefinite:
      mention.definite = true;
      break;
    case Kind::kBenignQuality:
      mention.benign = true;
      break;
    default:
      take_measure(item, mention);
  }
}

}  // namespace

void take_count(int count, const Item& item, Mention& mention) {
  mention.count = {count, span_of(item)};
  mention.from_article = false;
}

void take_measure(const Item& item, Mention& mention) {
  if (item.kind == Kind::kSize) mention.sizes.push_back({item.number, span_of(item)});
  if (item.kind == Kind::kStage && !mention.stage) mention.stage = {item.stage, span_of(item)};
  if (item.kind == Kind::kLargest) mention.largest = true;
  if (item.kind == Kind::kEach) mention.each = true;
  // "one each"
  if (item.kind == Kind::kEach && item.number == 1) take_count(1, item, mention);
  if (item.kind == Kind::kBenignQuality) mention.benign = true;
  if (item.kind == Kind::kCount && is_tumor_count(item.number) && !mention.count) {
    mention.count = {static_cast<int>(item.number), span_of(item)};
  }
}

void add_place(const Place& place, Span span, Mention& mention) {
  for (Said<Place>& known : mention.places) {
    const std::optional<Place> both = merged(known.value, place);
    if (!both) continue;
    if (known.value != *both) known.span = span;
    known.value = *both;
    return;
  }
  mention.places.push_back({place, span});
}

void add_site(const Site& site, const std::vector<Item>& items, Mention& mention) {
  add_place(site.place, {items[site.first].begin, items[site.last].end}, mention);
}

bool has_organ(const Mention& mention) {
  return std::any_of(mention.places.begin(), mention.places.end(),
                     [](const auto& place) { return place.value.organ || place.value.outside; });
}

namespace {

/// "Liver, needle biopsy: metastatic melanoma": not where melanomas begin.
bool is_elsewhere(const std::vector<Item>& items, const NounPhrase& phrase, const Item& head) {
  if (!head.meaning->place.outside || phrase.begin == 0) return false;
  const auto first = items.begin() + static_cast<std::ptrdiff_t>(phrase.begin);
  const auto last = items.begin() + static_cast<std::ptrdiff_t>(phrase.first);
  return (first - 1)->is_mark(":") && std::any_of(first, last, [](const Item& item) {
           return item.meaning != nullptr && item.meaning->value == "metastatic";
         });
}

}  // namespace

Mention mention_of(const std::vector<Item>& items, const NounPhrase& phrase, size_t last) {
  Mention mention;
  mention.has_head = true;
  mention.sentence = items[phrase.first].sentence;
  mention.span = {items[phrase.first].begin, items[phrase.last].end};
  // "a big 7 cm one" is a further tumor, "one in the left lobe" one of those before.
  mention.one_of_them = phrase.pronoun && (items[phrase.begin].kind != Kind::kArticle ||
                                           phrase.begin == phrase.first);
  for (size_t i = phrase.first; i <= phrase.last; ++i) take_head(items[i], mention);
  int articles = 0;
  for (size_t i = phrase.begin; i < phrase.first; ++i) {
    if (is_of_singular(items, i)) continue;
    take_modifier(items[i], mention);
    articles += items[i].kind == Kind::kArticle ? 1 : 0;
  }
  if (articles > 1) {
    mention.count->value = articles;
    mention.grammar = Grammar::kMany;
  }
  if (phrase.pronoun) take_modifier(items[phrase.first], mention);
  for (const SiteList& list : sites_of(items, phrase.begin, phrase.first)) {
    for (const Site& site : list.sites) add_site(site, items, mention);
  }
  for (size_t i = phrase.first; i <= phrase.last; ++i) {
    const Item& item = items[i];
    const bool placed = item.kind == Kind::kTumor && item.meaning->place != Place{};
    if (placed && !is_elsewhere(items, phrase, item)) {
      add_place(item.meaning->place, span_of(item), mention);
    }
  }
  const bool of_person = phrase.last + 1 < last && (items[phrase.last + 1].kind == Kind::kPerson ||
                                                    items[phrase.last + 1].kind == Kind::kSex);
  if (of_person && mention.from_article) {
    mention.count.reset();
    mention.grammar = Grammar::kDisease;
  }
  return mention;
}

}  // namespace guidegen::language
