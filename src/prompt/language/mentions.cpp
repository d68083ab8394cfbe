#include "prompt/language/mentions.hpp"

#include <algorithm>
#include <utility>

#include "prompt/language/counted_places.hpp"
#include "prompt/language/headless.hpp"
#include "prompt/language/lone_numbers.hpp"
#include "prompt/language/noun_phrases.hpp"
#include "prompt/language/phrase_mention.hpp"
#include "prompt/language/sized_places.hpp"

namespace guidegen::language {
namespace {

/// Reads the mentions of one sentence.
class SentenceReader {
 public:
  SentenceReader(const std::vector<Item>& items, size_t first, size_t last, bool known)
      : items_(items), first_(first), last_(last), known_(known) {
    phrases_ = noun_phrases(items, first, last, known);
  }

  std::vector<Mention> run() {
    if (phrases_.empty()) return without_head(items_, first_, last_, known_);
    for (const NounPhrase& phrase : phrases_)
      mentions_.push_back(mention_of(items_, phrase, last_));
    for (size_t gap = 0; gap <= phrases_.size(); ++gap) take_measures(gap);
    share_size_of_each(mentions_);
    take_sites();
    share_sites();
    take_explanations();
    if (mentions_.size() != 1) return std::move(mentions_);
    SizedPlaces pairs = sized_places(items_, first_, phrases_[0].first);
    if (pairs.empty()) pairs = told_each(mentions_[0], sized_places(items_, gap_begin(1), last_));
    if (!pairs.empty()) return one_a_place(mentions_[0], pairs);
    const std::vector<Mention> sites = one_a_site(mentions_[0], lists_in(1), items_);
    if (sites.size() > 1) return sites;
    return shared_out(mentions_[0], counted_places(items_, gap_begin(0), gap_end(0)),
                      counted_places(items_, gap_begin(1), gap_end(1)), items_);
  }

 private:
  // Gap g lies before phrase g; the last one ends the sentence.
  size_t gap_begin(size_t gap) const { return gap == 0 ? first_ : phrases_[gap - 1].last + 1; }
  size_t gap_end(size_t gap) const { return gap == phrases_.size() ? last_ : phrases_[gap].begin; }

  /// Whom a stage after mention `last` belongs to: the cancer rather than its metastases.
  Mention& staged(size_t last) {
    for (size_t i = last + 1; i-- > 0;) {
      Mention& mention = mentions_[i];
      if (mention.grammar == Grammar::kDisease && !mention.stage && mention.wanted())
        return mention;
    }
    return mentions_[last];
  }

  /// Sizes and stages follow their tumor; those before the first belong to it.
  void take_measures(size_t gap) {
    Mention& mention = mentions_[gap == 0 ? 0 : gap - 1];
    if (gap > 0) mention.sided_sizes = sided_sizes(items_, gap_begin(gap), gap_end(gap));
    if (!mention.sided_sizes.empty()) return;
    for (size_t i = gap_begin(gap); i < gap_end(gap); ++i) {
      const Item& item = items_[i];
      if (item.kind == Kind::kCount && counts_person(items_, i, last_)) continue;
      // "metastasis of a resected colon cancer, 2 cm"
      const bool of_other = gap > 1 && mention.past && !item.past && mentions_[gap - 2].wanted();
      if (of_other) {
        take_measure(item, mentions_[gap - 2]);
        continue;
      }
      if (gap > 0 && !mention.count && is_lone_count(items_, i, first_, last_)) {
        take_count(static_cast<int>(item.number), item, mention);
      }
      take_measure(item, item.kind == Kind::kStage && gap > 0 ? staged(gap - 1) : mention);
    }
  }

  std::vector<SiteList> lists_in(size_t gap) const {
    std::vector<SiteList> lists;
    size_t begin = gap_begin(gap);
    for (size_t i = begin; i <= gap_end(gap); ++i) {
      const bool near = i < gap_end(gap) && items_[i].kind == Kind::kNear;
      if (i < gap_end(gap) && !near) continue;
      for (SiteList& list : sites_of(items_, begin, i)) lists.push_back(std::move(list));
      // What the tumor is near to is not where it is.
      while (near && i + 1 < gap_end(gap) && items_[i + 1].kind != Kind::kMark &&
             items_[i + 1].kind != Kind::kWith) {
        ++i;
      }
      begin = i + 1;
    }
    return lists;
  }

  void take_sites() {
    const bool opens = !lists_in(0).empty();
    const bool closes = mentions_.back().sided_sizes.empty() && !lists_in(phrases_.size()).empty();
    // "The liver contains two lesions, the left kidney one."
    const bool site_first = opens && !closes && !is_placed(0);
    for (size_t i = 0; i < mentions_.size(); ++i) {
      std::vector<SiteList> lists = lists_in(site_first ? i : i + 1);
      if (!site_first) lists = without_subject(std::move(lists), i);
      if (site_first) keep_last(lists);
      if (!mentions_[i].sided_sizes.empty()) keep_organs(lists);
      if (!site_first && i > 0 && mentions_[i].past && mentions_[i - 1].wanted()) {
        take_lists(without_past(lists), mentions_[i - 1]);
      }
      take_lists(lists, mentions_[i]);
      // "The right kidney contains stones and a tumor."
      const bool shared = site_first && i > 0 && mentions_[i].places.empty();
      if (shared) mentions_[i].places = mentions_[i - 1].places;
    }
    // "Pancreas: a mass in the tail."
    if (opens && !has_organ(mentions_[0])) take_lists({lists_in(0).back()}, mentions_[0]);
    for (size_t i = 0; i < mentions_.size(); ++i) name_organ(i);
    // "The left lung has a tumor in the lower lobe."
    if (opens && closes && mentions_.size() == 1) {
      const SiteList before = lists_in(0).back();
      for (const Site& site : before.sites) {
        if (refined(site.place, mentions_[0].places)) add_site(site, items_, mentions_[0]);
      }
    }
  }

  /// Takes out of `lists` those that are not said of what is past.
  std::vector<SiteList> without_past(std::vector<SiteList>& lists) const {
    const auto now = std::stable_partition(
        lists.begin(), lists.end(), [&](const SiteList& list) { return items_[list.first].past; });
    std::vector<SiteList> others(now, lists.end());
    lists.erase(now, lists.end());
    return others;
  }

  /// "The right kidney is tumor-free, the left one has a mass": the organ was named before.
  void name_organ(size_t mention) {
    if (mentions_[mention].places.empty() || has_organ(mentions_[mention])) return;
    for (size_t i = phrases_[mention].begin; i-- > first_;) {
      if (items_[i].kind != Kind::kPlace || !items_[i].meaning->place.organ) continue;
      Place organ;
      organ.organ = items_[i].meaning->place.organ;
      for (Said<Place>& place : mentions_[mention].places) {
        place.value = merged(place.value, organ).value_or(place.value);
      }
      return;
    }
  }

  /// "Liver: two lesions in segment VI, consistent with metastases": its place follows.
  bool is_placed(size_t mention) const {
    const size_t next = phrases_[mention].last + 1;
    if (mention + 1 >= mentions_.size() || next + 1 >= gap_end(mention + 1)) return false;
    return items_[next].kind == Kind::kPreposition &&
           (items_[next + 1].kind == Kind::kPlace || items_[next + 1].kind == Kind::kDefinite);
  }

  /// Of several places before a tumor the nearest counts. "The colon shows thickening of the
  /// ascending part consistent with carcinoma": the others name its organ.
  static void keep_last(std::vector<SiteList>& lists) {
    if (lists.size() < 2) return;
    Place& last = lists.back().sites.back().place;
    const Place& before = lists[lists.size() - 2].sites.back().place;
    if (!last.organ && !last.outside) last = merged(before, last).value_or(last);
    lists.erase(lists.begin(), lists.end() - 1);
  }

  /// "right renal cancer, resected, left kidney shows a mass": the place that opens a clause of its
  /// own is where the next mention is.
  std::vector<SiteList> without_subject(std::vector<SiteList> lists, size_t mention) {
    const bool next = mention + 1 < mentions_.size();
    if (lists.empty() || !next || !is_subject(lists.back().sites.back())) return lists;
    std::vector<Site>& sites = lists.back().sites;
    const Site subject = sites.back();
    take_lists({{{subject}, subject.first, subject.last}}, mentions_[mention + 1]);
    sites.pop_back();
    if (sites.empty()) lists.pop_back();
    return lists;
  }

  bool is_subject(const Site& site) const {
    if (site.first == first_ || site.last + 1 >= last_) return false;
    const Item& before = items_[site.first - 1];
    const bool opens =
        before.is_mark(",") || before.kind == Kind::kBreak ||
        (before.kind == Kind::kDefinite && site.first > first_ + 1 &&
         (items_[site.first - 2].is_mark(",") || items_[site.first - 2].kind == Kind::kBreak));
    return opens && items_[site.last + 1].kind == Kind::kWith;
  }

  /// Drops the sides of "left 2 cm, right 3 cm".
  static void keep_organs(std::vector<SiteList>& lists) {
    for (SiteList& list : lists) {
      std::vector<Site>& sites = list.sites;
      sites.erase(std::remove_if(sites.begin(), sites.end(),
                                 [](const Site& site) { return !site.place.organ; }),
                  sites.end());
    }
  }

  void take_lists(const std::vector<SiteList>& lists, Mention& mention) {
    if (has_size_each(lists, mention)) return pair_sizes(lists, items_, mention);
    bool first = true;
    for (const SiteList& list : lists) {
      const std::vector<Said<Place>> before = mention.places;
      const bool own = mention.places.empty();
      const bool more = first && (own || !has_organ(mention));
      const bool follows_and = list.first > first_ + 1 && joins(list.first);
      for (const Site& site : list.sites) {
        if (more || follows_and) {
          add_site(site, items_, mention);
        } else if (const auto both = refined(site.place, before)) {
          add_site({*both, site.first, site.last}, items_, mention);
        }
      }
      first = false;
    }
  }

  /// "and" stands before the place, whatever stands between.
  bool joins(size_t at) const {
    for (size_t i = at; i-- > first_;) {
      const Kind kind = items_[i].kind;
      if (kind == Kind::kAnd) return true;
      if (kind != Kind::kPreposition && kind != Kind::kDefinite && kind != Kind::kUnknown) break;
    }
    return false;
  }

  /// What the place adds to one that is known.
  static std::optional<Place> refined(const Place& place, const std::vector<Said<Place>>& known) {
    for (const auto& one : known) {
      if (const auto both = merged(one.value, place)) return both;
    }
    return std::nullopt;
  }

  /// "masses and nodules in the liver": the first are in the liver too.
  void share_sites() {
    for (size_t i = mentions_.size() - 1; i-- > 0;) {
      Mention& mention = mentions_[i];
      size_t begin = gap_begin(i + 1);
      // "a nodule of 4 mm and a nodule of 7 mm in the lung"
      while (begin < gap_end(i + 1) &&
             (items_[begin].kind == Kind::kSize || items_[begin].is_mark("(") ||
              items_[begin].is_mark(")") || items_[begin].kind == Kind::kPreposition)) {
        ++begin;
      }
      const bool joined = begin + 1 == gap_end(i + 1) &&
                          (items_[begin].kind == Kind::kAnd || items_[begin].is_mark(","));
      const bool alike = joined && !mentions_[i + 1].one_of_them && mention.places.empty() &&
                         mentions_[i + 1].benign == mention.benign;
      if (alike) mention.places = mentions_[i + 1].places;
    }
  }

  /// "a lesion, most likely a hemangioma": it is none.
  void take_explanations() {
    for (size_t i = 1; i < mentions_.size(); ++i) {
      const size_t begin = phrases_[i].begin;
      if (begin == first_) continue;
      const Item& before = items_[begin - 1];
      const bool copula = before.kind == Kind::kWith && before.meaning->value == "copula";
      const bool equals = copula || before.is_mark(":") || before.is_mark("=");
      const bool explains =
          before.kind == Kind::kMeans || (equals && is_subject_until(begin - 1, i));
      if (explains && mentions_[i].benign && mentions_[i].places.empty()) {
        mentions_[i - 1].benign = true;
      }
    }
  }

  /// "the lesion in segment 6 is": between the tumor before phrase `i` and the copula there is
  /// nothing but its place.
  bool is_subject_until(size_t copula, size_t i) const {
    return std::all_of(items_.begin() + static_cast<std::ptrdiff_t>(phrases_[i - 1].last + 1),
                       items_.begin() + static_cast<std::ptrdiff_t>(copula), [](const Item& item) {
                         return item.kind == Kind::kPreposition || item.kind == Kind::kDefinite ||
                                item.kind == Kind::kPlace || item.kind == Kind::kPronoun;
                       });
  }

  const std::vector<Item>& items_;
  size_t first_;
  size_t last_;
  bool known_;  // tumors were mentioned before
  std::vector<NounPhrase> phrases_;
  std::vector<Mention> mentions_;
};

}  // namespace

std::vector<Mention> mentions_of(const std::vector<Item>& items) {
  std::vector<Mention> mentions;
  bool known = false;
  for (size_t first = 0; first < items.size();) {
    size_t last = first;
    while (last < items.size() && items[last].sentence == items[first].sentence) ++last;
    for (Mention& mention : SentenceReader(items, first, last, known).run()) {
      known = known || (mention.has_head && !mention.benign);
      mentions.push_back(std::move(mention));
    }
    first = last;
  }
  return mentions;
}

}  // namespace guidegen::language
