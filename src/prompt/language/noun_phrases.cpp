#include "prompt/language/noun_phrases.hpp"

namespace guidegen::language {
namespace {

bool is_finding(const Item& item) {
  return item.kind == Kind::kTumor || item.kind == Kind::kBenign;
}

bool is_determiner(const Item& item) {
  return item.kind == Kind::kArticle || item.kind == Kind::kAnother ||
         item.kind == Kind::kOneOfThem || item.kind == Kind::kCount || item.kind == Kind::kNumber ||
         item.kind == Kind::kDefinite;
}

class Reader {
 public:
  Reader(const std::vector<Item>& items, size_t first, size_t last, bool known)
      : items_(items), first_(first), last_(last), known_(known) {}

  std::vector<NounPhrase> run() {
    for (size_t i = first_; i < last_; ++i) {
      if (is_finding(items_[i])) {
        take(i);
      } else if ((known_ || !phrases_.empty()) && is_pronoun(i)) {
        phrases_.push_back({i, i, i, true});
      }
    }
    size_t floor = first_;
    for (NounPhrase& phrase : phrases_) {
      // "cancer of the colon spread to the liver": the colon is that of the cancer.
      const Item& head = items_[phrase.first];
      const bool spread = head.kind == Kind::kTumor && head.meaning->value == "spread";
      phrase.begin = spread ? phrase.first : begin_of(phrase.first, floor);
      // "one in the left lobe one in the right lobe"
      while (phrase.pronoun && phrase.begin < phrase.first && !is_own(items_[phrase.begin])) {
        ++phrase.begin;
      }
      floor = phrase.last + 1;
    }
    return std::move(phrases_);
  }

 private:
  /// "tumor mass", "cancer/tumor": one thing in two words.
  void take(size_t at) {
    const bool spread = items_[at].kind == Kind::kTumor && items_[at].meaning->value == "spread";
    if (!phrases_.empty() && !phrases_.back().pronoun && !spread) {
      NounPhrase& before = phrases_.back();
      const bool next = before.last + 1 == at;
      const bool over_mark =
          before.last + 2 == at && (items_[at - 1].is_mark("/") || items_[at - 1].is_mark("-"));
      if (next || over_mark) {
        before.last = at;
        return;
      }
    }
    phrases_.push_back({at, at, at, false});
  }

  /// "one in the liver", "another in the left kidney".
  bool is_pronoun(size_t at) const {
    const Item& item = items_[at];
    const bool candidate = item.kind == Kind::kOneOfThem || item.kind == Kind::kAnother ||
                           item.kind == Kind::kArticle || item.kind == Kind::kNumber ||
                           item.kind == Kind::kCount;
    if (!candidate || at + 1 >= last_) return false;
    if (item.kind == Kind::kNumber && item.number > 20) return false;
    // "one tumor left and two right"
    const Item& after = items_[at + 1];
    const bool side = after.kind == Kind::kPlace && !after.meaning->place.organ &&
                      after.meaning->place.side && after.meaning->place.part.empty();
    const bool joined = at > first_ && items_[at - 1].kind == Kind::kAnd;
    const bool ends = at + 2 >= last_ || items_[at + 2].kind == Kind::kMark ||
                      items_[at + 2].kind == Kind::kPreposition;
    if (side && joined && ends && item.kind != Kind::kArticle) return true;
    bool linked = false;
    for (size_t i = at + 1; i < last_; ++i) {
      if (items_[i].kind == Kind::kPlace) return linked && !leads_to_finding(i);
      const bool link = items_[i].kind == Kind::kPreposition || items_[i].kind == Kind::kSize;
      const bool between = items_[i].kind == Kind::kDefinite || items_[i].kind == Kind::kEach ||
                           items_[i].kind == Kind::kPronoun || items_[i].kind == Kind::kWith ||
                           items_[i].is_mark("(") || items_[i].is_mark(")");
      if (!link && !between) return false;
      linked = linked || link;
    }
    return false;
  }

  /// "a 2 cm liver metastasis" has a noun of its own.
  bool leads_to_finding(size_t place) const {
    size_t i = place;
    while (i < last_ && (is_modifier(items_[i]))) ++i;
    return i < last_ && is_finding(items_[i]);
  }

  /// "a 12 mm one"
  static bool is_own(const Item& item) {
    return item.kind == Kind::kArticle || item.kind == Kind::kSize;
  }

  size_t begin_of(size_t head, size_t floor) const {
    size_t begin = head;
    while (begin > floor) {
      const Item& item = items_[begin - 1];
      // "a biopsy-proven carcinoma"
      const bool proven =
          item.kind == Kind::kMeans && begin >= floor + 2 && is_determiner(items_[begin - 2]);
      if (is_modifier(item) || proven) {
        --begin;
      } else if (is_determiner(item)) {
        --begin;
        if (item.kind != Kind::kNumber && item.kind != Kind::kCount) break;
      } else if (item.is_mark(",") || item.kind == Kind::kAnd || item.is_mark("/")) {
        const size_t further = past_list(begin - 1, floor);
        if (further == begin - 1) break;
        begin = further;
      } else {
        break;
      }
    }
    // "a 5 cm and a 2 cm mass"
    const auto kind = [&](size_t at) { return items_[at].kind; };
    while (begin >= floor + 3 && kind(begin) == Kind::kArticle && kind(begin - 1) == Kind::kAnd &&
           kind(begin - 2) == Kind::kSize && kind(begin - 3) == Kind::kArticle) {
      begin -= 3;
    }
    return begin;
  }

  static bool is_modifier(const Item& item) {
    return item.kind == Kind::kPlace || item.kind == Kind::kSize || item.kind == Kind::kStage ||
           item.kind == Kind::kUnknown || item.kind == Kind::kNew ||
           item.kind == Kind::kBenignQuality || item.kind == Kind::kLargest ||
           item.kind == Kind::kEach || item.is_mark("-") || item.is_mark("'") || item.is_mark("\"");
  }

  /// Where the phrase goes on before the comma or "and" at `at`; `at` when it does not.
  size_t past_list(size_t at, size_t floor) const {
    const bool places =
        at > floor && items_[at - 1].kind == Kind::kPlace && items_[at + 1].kind == Kind::kPlace;
    if (places) return past_places(at, floor);
    // "a large, 5 cm, irregular mass": a determiner opens all of it.
    for (size_t i = at; i-- > floor;) {
      const Item& item = items_[i];
      if (is_determiner(item)) return i == at - 1 ? at : i;
      const bool quality = item.kind == Kind::kUnknown || item.kind == Kind::kSize ||
                           item.is_mark(",") || item.is_mark("-");
      if (!quality) break;
    }
    return at;
  }

  /// "lung and liver metastases", but not "mass in the lung and liver metastases".
  size_t past_places(size_t at, size_t floor) const {
    size_t i = at;
    while (i > floor && (items_[i - 1].kind == Kind::kPlace || items_[i - 1].is_mark(",") ||
                         items_[i - 1].is_mark("-"))) {
      --i;
    }
    // "lung tumor left lower lobe and kidney tumor": the lobe is that of the tumor before.
    // "lung mass 50 mm left upper, liver mass"
    size_t measured = i;
    if (items_[i].kind == Kind::kPlace) {
      while (measured > floor && items_[measured - 1].kind == Kind::kSize) --measured;
    }
    if (measured == floor && floor > first_) return at;
    size_t before = i;
    while (before > floor && items_[before - 1].kind == Kind::kDefinite) --before;
    const bool governed = before > floor && items_[before - 1].kind == Kind::kPreposition;
    return governed && floor > first_ ? at : i;
  }

  const std::vector<Item>& items_;
  size_t first_;
  size_t last_;
  bool known_;
  std::vector<NounPhrase> phrases_;
};

}  // namespace

std::vector<NounPhrase> noun_phrases(const std::vector<Item>& items, size_t first, size_t last,
                                     bool known) {
  return Reader(items, first, last, known).run();
}

}  // namespace guidegen::language
