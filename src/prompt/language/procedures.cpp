#include "prompt/language/procedures.hpp"

#include <optional>

namespace guidegen::language {
namespace {

bool is_finding(const Item& item) {
  return item.kind == Kind::kTumor || item.kind == Kind::kBenign;
}

bool ends_clause(const Item& item) {
  return item.kind == Kind::kBreak || item.kind == Kind::kWith || item.kind == Kind::kNew ||
         item.is_mark(",") || item.is_mark(")");
}

/// German "bei" of "Nephrektomie bei Karzinom".
bool gives_reason(const Item& item) {
  return item.kind == Kind::kWith && item.meaning->value == "reason";
}

class Procedures {
 public:
  Procedures(std::vector<Item>& items, size_t first, size_t last)
      : items_(items), first_(first), last_(last) {}

  void run() {
    for (size_t i = first_; i < last_; ++i) {
      if (items_[i].kind != Kind::kProcedure || is_denied(i) || is_specimen(i)) continue;
      const bool planned = is_planned(items_, first_, last_, i);
      const std::optional<size_t> reason = reason_after(i);
      if (!planned && reason) mark(i, *reason + 1);
      if (!planned && !reason) mark_removed(i);
      if (!planned) drop_places(i, reason ? *reason : last_);
      // "left nephrectomy planned for a 6 cm tumor": the operation alone names the organ.
      const bool names = items_[i].meaning->place.organ && !names_organ();
      if (planned && reason && names) items_[i].kind = Kind::kPlace;
    }
  }

 private:
  /// "no prior radiotherapy"
  bool is_denied(size_t at) const {
    while (at > first_ &&
           (items_[at - 1].kind == Kind::kUnknown || items_[at - 1].kind == Kind::kHistory ||
            items_[at - 1].kind == Kind::kPlace)) {
      --at;
    }
    return at > first_ && items_[at - 1].kind == Kind::kNegation;
  }

  /// "Right upper lobe lobectomy: adenocarcinoma": what was found in what was removed.
  bool is_specimen(size_t at) const {
    const size_t mark = at + 1 < last_ && items_[at + 1].kind == Kind::kUnknown ? at + 2 : at + 1;
    return mark < last_ && items_[mark].is_mark(":");
  }

  /// "nephrectomy for RCC", "resection of a colon cancer": the item of the tumor.
  std::optional<size_t> reason_after(size_t at) const {
    bool linked = false;
    for (size_t i = at + 1; i < last_ && (gives_reason(items_[i]) || !ends_clause(items_[i]));
         ++i) {
      linked = linked || gives_reason(items_[i]);
      if (items_[i].kind == Kind::kProcedure) return std::nullopt;
      linked = linked || items_[i].kind == Kind::kPreposition || items_[i].kind == Kind::kReason;
      if (is_finding(items_[i])) return linked ? std::optional(i) : std::nullopt;
    }
    return std::nullopt;
  }

  /// The finding before the operation, where it can have been in what was removed.
  void mark_removed(size_t at) {
    for (size_t i = first_; i < at; ++i) {
      const bool tumor = items_[i].kind == Kind::kTumor;
      if (tumor && items_[i].meaning->value == "recurrence") return;
    }
    for (size_t i = at; i-- > first_;) {
      const Item& item = items_[i];
      if (item.kind == Kind::kBreak || item.kind == Kind::kNew) return;
      if (!is_finding(item)) continue;
      // "recurrent HCC after resection"
      if (i > first_ && items_[i - 1].kind == Kind::kNew) return;
      if (fits(i, at)) mark(start_of(i), at);
      return;
    }
  }

  /// No organ that the words around the finding name is another one than the operation's.
  bool fits(size_t finding, size_t at) const {
    // "RFA of segment VI": says itself what was removed.
    const bool of = at + 2 < last_ && items_[at + 1].kind == Kind::kPreposition;
    if (of && items_[at + 2].kind == Kind::kPlace) return false;
    const std::optional<TumorOrgan> organ = items_[at].meaning->place.organ;
    bool named = false;
    for (size_t i = start_of(finding); i < at; ++i) {
      const Item& item = items_[i];
      if (item.kind != Kind::kPlace && item.kind != Kind::kTumor) continue;
      const Place& place = item.meaning->place;
      if (!place.organ && !place.outside) continue;
      if (item.kind == Kind::kPlace && is_modifier(i, at)) continue;
      named = true;
      if (!organ || place.organ == organ) return true;
    }
    return !named;
  }

  bool names_organ() const {
    for (size_t i = first_; i < last_; ++i) {
      const Kind kind = items_[i].kind;
      const bool site = kind == Kind::kPlace || kind == Kind::kTumor;
      if (site && (items_[i].meaning->place.organ || items_[i].meaning->place.outside)) return true;
    }
    return false;
  }

  bool is_modifier(size_t place, size_t at) const {
    for (size_t i = place + 1; i < at; ++i) {
      if (items_[i].kind != Kind::kPlace && items_[i].kind != Kind::kUnknown) return false;
    }
    return true;
  }

  size_t start_of(size_t finding) const {
    size_t start = finding;
    while (start > first_ && !ends_clause(items_[start - 1]) && !is_finding(items_[start - 1]) &&
           items_[start - 1].kind != Kind::kAnd && items_[start - 1].kind != Kind::kAge &&
           items_[start - 1].kind != Kind::kSex) {
      --start;
    }
    return start;
  }

  void mark(size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) items_[i].past = true;
  }

  /// "right" of "right hemicolectomy" is no place of what the text goes on with.
  void drop_places(size_t at, size_t end) {
    for (size_t i = at; i-- > first_;) {
      if (items_[i].kind != Kind::kPlace && items_[i].kind != Kind::kUnknown) break;
      if (items_[i].kind == Kind::kPlace) items_[i].kind = Kind::kIgnored;
    }
    const bool of = at + 1 < end && items_[at + 1].kind == Kind::kPreposition;
    for (size_t i = at + 2; of && i < end; ++i) {
      const bool inside = items_[i].kind == Kind::kPlace || items_[i].kind == Kind::kDefinite ||
                          items_[i].kind == Kind::kPronoun || items_[i].kind == Kind::kUnknown ||
                          items_[i].kind == Kind::kPreposition;
      if (!inside) break;
      if (items_[i].kind == Kind::kPlace && end == last_) items_[i].kind = Kind::kIgnored;
    }
  }

  std::vector<Item>& items_;
  size_t first_;
  size_t last_;
};

}  // namespace

bool is_planned(const std::vector<Item>& items, size_t first, size_t last, size_t at) {
  for (size_t i = at; i-- > first && !items[i].is_mark(",");) {
    if (items[i].kind == Kind::kPlanned) return true;
    if (items[i].kind == Kind::kHistory) return false;
  }
  bool found = false;
  for (size_t i = at + 1; i < last && !items[i].is_mark(","); ++i) {
    // "surgery for the carcinoma is set for Monday"
    const bool of_it = !found || items[i - 1].kind == Kind::kWith;
    if (items[i].kind == Kind::kPlanned && of_it) return true;
    found = found || is_finding(items[i]);
  }
  return false;
}

void mark_procedures(std::vector<Item>& items, size_t first, size_t last) {
  Procedures(items, first, last).run();
}

}  // namespace guidegen::language
