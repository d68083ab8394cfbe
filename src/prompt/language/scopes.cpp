#include "prompt/language/scopes.hpp"

#include <algorithm>
#include <set>

#include "prompt/language/procedures.hpp"

namespace guidegen::language {
namespace {

bool is_finding(const Item& item) {
  return item.kind == Kind::kTumor || item.kind == Kind::kBenign;
}

/// "CT", "abdomen": a picture, or what it shows.
bool is_scan(const Item& item) { return item.meaning != nullptr && item.meaning->value == "scan"; }

bool is_new_object(const Item& item) {
  return item.kind == Kind::kArticle || item.kind == Kind::kCount || item.kind == Kind::kNumber ||
         item.kind == Kind::kSize || item.kind == Kind::kStage || item.kind == Kind::kAnother ||
         item.kind == Kind::kOneOfThem;
}

class SentenceScopes {
 public:
  SentenceScopes(std::vector<Item>& items, size_t first, size_t last)
      : items_(items), first_(first), last_(last) {}

  void run() {
    forward();
    backward();
    mark_procedures(items_, first_, last_);
  }

 private:
  /// Whether a list goes on after the comma or "and" at `at`: its next member is bare.
  bool list_goes_on(size_t at, bool needs_and) const {
    bool placed = false;
    bool joined = items_[at].kind == Kind::kAnd;
    size_t i = at + 1;
    for (; i < last_ && !items_[i].is_mark(",") && items_[i].kind != Kind::kAnd; ++i) {
      const Item& item = items_[i];
      if (is_new_object(item) || item.kind == Kind::kBreak || item.kind == Kind::kWith ||
          item.kind == Kind::kPerson || item.kind == Kind::kPronoun) {
        return false;
      }
      placed = placed || item.kind == Kind::kPreposition;
    }
    for (; i < last_; ++i) joined = joined || items_[i].kind == Kind::kAnd;
    return joined || (!placed && !needs_and);
  }

  /// "the patient", "he", "a 52-year-old man": the clause is about the patient again.
  bool is_subject(size_t at) const {
    while (at < last_ &&
           (items_[at].kind == Kind::kDefinite || items_[at].kind == Kind::kArticle)) {
      ++at;
    }
    return at < last_ && (items_[at].kind == Kind::kPronoun || items_[at].kind == Kind::kSpeaker ||
                          items_[at].kind == Kind::kPerson || items_[at].kind == Kind::kSex ||
                          items_[at].kind == Kind::kAge);
  }

  /// The clause after the comma at `at` tells a finding of its own: "…, 4 cm mass".
  bool opens_finding(size_t at) const {
    bool fresh = false;
    for (size_t i = at + 1; i < last_ && !items_[i].is_mark(","); ++i) {
      fresh = fresh || is_new_object(items_[i]);
      if (items_[i].kind == Kind::kFamily || items_[i].kind == Kind::kWith) return false;
      if (is_finding(items_[i])) return fresh;
    }
    return false;
  }

  /// "resected carcinoma": stands before what it is said of.
  bool qualifies_next(size_t at) const {
    if (at + 1 >= last_) return false;
    const Kind next = items_[at + 1].kind;
    return next == Kind::kPlace || next == Kind::kTumor || next == Kind::kStage;
  }

  /// A finding stands before the trigger, which is said of it.
  bool follows(size_t at) const {
    for (size_t i = at; i-- > first_;) {
      if (is_finding(items_[i])) return true;
      if (items_[i].kind == Kind::kBreak) return false;
    }
    return false;
  }

  void end_scopes(const Item& item, size_t at) {
    if (item.kind == Kind::kBreak || item.kind == Kind::kNew || item.kind == Kind::kSpeaker) {
      negated_ = past_ = family_ = sought_ = false;
    } else if (item.kind == Kind::kWith) {
      // "No history of cancer with a nodule": something was denied already.
      if (content_) negated_ = false;
      past_ = sought_ = false;
    } else if (item.is_mark(",") || item.kind == Kind::kAnd) {
      const bool comma = item.kind != Kind::kAnd;
      if (!list_goes_on(at, false)) negated_ = sought_ = false;
      // "operated on the bowel in 2016, cancer of stage II"
      const bool tells = comma && past_ && after_ && !follows(at) && !opens_finding(at);
      if (!tells && !list_goes_on(at, comma)) past_ = false;
      if (is_subject(at + 1) || (comma && opens_finding(at))) family_ = false;
    } else if (item.is_mark(":") && opens_finding(at)) {
      // "scan to exclude metastases: found 2 nodules"
      sought_ = false;
    } else if (item.is_mark(")")) {
      negated_ = past_ = sought_ = false;
    }
  }

  void open_scopes(const Item& item, size_t at) {
    if (item.kind == Kind::kNegation) {
      negated_ = true;
      content_ = false;
    }
    const bool after = item.kind == Kind::kHistoryAfter && (qualifies_next(at) || !follows(at));
    const bool past = item.kind == Kind::kHistory || after;
    if (past && !is_planned(items_, first_, last_, at)) {
      past_ = true;
      after_ = after;
    }
    // "biopsy excluded RCC"
    if (item.kind == Kind::kNegationAfter && !follows(at)) negated_ = true;
    if (item.kind == Kind::kFamily) family_ = true;
    if (item.kind == Kind::kSought) sought_ = true;
  }

  void forward() {
    for (size_t i = first_; i < last_; ++i) {
      Item& item = items_[i];
      end_scopes(item, i);
      open_scopes(item, i);
      item.negated = negated_;
      item.past = past_;
      item.family = family_;
      item.sought = sought_;
      content_ = content_ || is_finding(item) || item.kind == Kind::kUnknown;
    }
  }

  void backward() {
    for (size_t i = first_; i < last_; ++i) {
      const Kind kind = items_[i].kind;
      if (kind == Kind::kNegationAfter) mark_back(i, &Item::negated);
      if (kind == Kind::kNormal) mark_organs(i);
      if (kind == Kind::kIgnored && tells_past(i)) mark_back(i, &Item::past);
      if (kind == Kind::kFamily && is_of_family(i)) mark_back(i, &Item::family);
      const bool done = kind == Kind::kHistoryAfter && !is_planned(items_, first_, last_, i);
      if (done && !qualifies_next(i)) mark_back(i, &Item::past);
    }
  }

  /// "colon cancer in his father"
  bool is_of_family(size_t at) const {
    size_t i = at;
    const bool ends = at + 1 >= last_ || items_[at + 1].kind == Kind::kMark;
    if (ends && at > first_ && is_finding(items_[at - 1])) return true;
    while (i > first_ &&
           (items_[i - 1].kind == Kind::kDefinite || items_[i - 1].kind == Kind::kPronoun ||
            items_[i - 1].kind == Kind::kOwn || items_[i - 1].kind == Kind::kUnknown)) {
      --i;
    }
    return i > first_ && items_[i - 1].kind == Kind::kPreposition;
  }

  /// The clause before the trigger, and clauses before that one until there is a finding.
  void mark_back(size_t trigger, bool Item::*flag) {
    bool found = false;
    for (size_t i = trigger; i-- > first_;) {
      const Item& item = items_[i];
      if (item.kind == Kind::kBreak || (found && (item.is_mark(",") || item.kind == Kind::kWith))) {
        return;
      }
      // "known RCC, CT head negative": what is denied has its own clause.
      if (!found && flag == &Item::negated && item.is_mark(",") && has_scan(i, trigger)) return;
      const bool other_trigger =
          item.kind == Kind::kNegationAfter || item.kind == Kind::kHistoryAfter;
      if (other_trigger) return;
      // What was removed is the nearest: "lung metastases of a kidney cancer, removed in 2010".
      if (found && flag == &Item::past && item.kind == Kind::kPreposition) return;
      // "a woman of 80, operated on for …" is 80 now.
      if (item.kind == Kind::kAge && !follows(i)) continue;
      items_[i].*flag = true;
      found = found || is_finding(item);
    }
  }

  /// "she had colon cancer ten years ago"
  bool tells_past(size_t at) const {
    if (items_[at].meaning == nullptr || items_[at].meaning->value != "ago") return false;
    bool found = false;
    for (size_t i = at; i-- > first_ && items_[i].kind != Kind::kBreak;) {
      found = found || is_finding(items_[i]);
      if (items_[i].kind == Kind::kWith) return found && items_[i].meaning->value == "past";
    }
    return false;
  }

  bool has_scan(size_t first, size_t last) const {
    return std::any_of(items_.begin() + static_cast<std::ptrdiff_t>(first),
                       items_.begin() + static_cast<std::ptrdiff_t>(last), is_scan);
  }

  /// "The liver is normal": says nothing of where the tumors of other sentences are.
  void mark_organs(size_t trigger) {
    for (size_t i = trigger; i-- > first_ && !is_finding(items_[i]);) items_[i].negated = true;
    items_[trigger].negated = true;
  }

  std::vector<Item>& items_;
  size_t first_;
  size_t last_;
  bool negated_ = false;
  bool past_ = false;
  bool after_ = false;  // the past was opened by a verb: "operated"
  bool family_ = false;
  bool sought_ = false;
  bool content_ = false;  // something stands in the scope of the negation
};

/// "normal chest-abdomen CT", "CT of the chest and abdomen was normal", "pan-scan negative".
bool is_of_scan(const std::vector<Item>& items, size_t at) {
  const Item& item = items[at];
  const bool negative = item.kind == Kind::kNegationAfter;
  if ((item.kind != Kind::kNormal && !negative) || item.past || item.family) return false;
  if (at > 0 && items[at - 1].kind == Kind::kNegation) return false;
  const auto passed = [&](const Item& other) {
    return other.sentence == item.sentence &&
           (other.kind == Kind::kUnknown || other.kind == Kind::kPerson ||
            other.kind == Kind::kSex || other.kind == Kind::kRace || other.kind == Kind::kAge ||
            other.kind == Kind::kContrast || other.is_mark("-") || other.is_mark("/"));
  };
  for (size_t i = at + 1; !negative && i < items.size(); ++i) {
    if (is_scan(items[i])) return true;
    if (!passed(items[i])) break;
  }
  for (size_t i = at; i-- > 0;) {
    if (is_scan(items[i])) return true;
    const bool copula = items[i].kind == Kind::kWith && items[i].meaning->value == "copula";
    const bool linked = copula || items[i].kind == Kind::kPreposition || items[i].is_mark(":") ||
                        items[i].kind == Kind::kDefinite || items[i].kind == Kind::kAnd ||
                        items[i].kind == Kind::kArticle;
    if (!passed(items[i]) && !(linked && items[i].sentence == item.sentence)) break;
  }
  return false;
}

}  // namespace

std::optional<size_t> normal_scan(const std::vector<Item>& items) {
  const bool named = std::any_of(items.begin(), items.end(), is_finding);
  std::set<TumorOrgan> organs;
  for (size_t i = 0; i < items.size(); ++i) {
    if (is_of_scan(items, i)) return i;
    if (items[i].kind != Kind::kNormal) continue;
    for (size_t j = i; j-- > 0 && items[j].sentence == items[i].sentence;) {
      if (items[j].kind != Kind::kPlace) continue;
      if (items[j].meaning->place.organ) organs.insert(*items[j].meaning->place.organ);
    }
    // "Lungs clear. Liver, kidneys and pancreas normal."
    constexpr size_t kMost = 3;
    if (!named && organs.size() >= kMost) return i;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].kind != Kind::kNormal) continue;
    bool organ = false;
    bool other = i > 0 &&
                 (items[i - 1].kind == Kind::kUnknown || items[i - 1].kind == Kind::kNegation) &&
                 items[i - 1].sentence == items[i].sentence;
    for (size_t j = i; j-- > 0 && items[j].sentence == items[i].sentence;) {
      organ = organ || items[j].kind == Kind::kPlace;
    }
    const bool ends = i + 1 >= items.size() || items[i + 1].kind == Kind::kMark ||
                      items[i + 1].kind == Kind::kSex || items[i + 1].kind == Kind::kPerson;
    if (ends && (organ ? named : !named && !other)) return i;
  }
  return std::nullopt;
}

void mark_scopes(std::vector<Item>& items) {
  for (size_t first = 0; first < items.size();) {
    size_t last = first;
    while (last < items.size() && items[last].sentence == items[first].sentence) ++last;
    SentenceScopes(items, first, last).run();
    first = last;
  }
}

}  // namespace guidegen::language
