#include "prompt/language/tallies.hpp"

#include <algorithm>

#include "prompt/language/lone_numbers.hpp"

namespace guidegen::language {
namespace {

/// kNoneOf: "lung: 0"; kNoneAt: "none in the lung".
enum class Form { kOther, kPlaces, kCounted, kNoneOf, kNoneAt };

struct Clause {
  size_t first = 0;  ///< items, end exclusive
  size_t last = 0;
  Form form = Form::kOther;
  size_t number = 0;    ///< the item that tells how many
  bool marked = false;  ///< ":", "=" or "(" before the number
};

bool ends_clause(const Item& item) {
  return item.is_mark(",") || item.is_mark(";") || item.is_mark(".") || item.is_mark("\n") ||
         item.kind == Kind::kAnd || item.kind == Kind::kBreak;
}

bool is_none(const Item& item) {
  const bool zero = item.kind == Kind::kNumber && item.number == 0;
  return zero || item.kind == Kind::kNegation || item.kind == Kind::kNegationAfter;
}

bool is_count(const Item& item) {
  return (item.kind == Kind::kNumber || item.kind == Kind::kCount) && is_tumor_count(item.number);
}

bool is_link(const Item& item) {
  return item.is_mark("(") || item.is_mark(")") || item.is_mark(":") || item.is_mark("=") ||
         item.is_mark("-") || item.is_mark("_") || item.kind == Kind::kDefinite ||
         item.kind == Kind::kPreposition ||
         (item.kind == Kind::kWith && item.meaning->value == "copula");
}

void classify(const std::vector<Item>& items, Clause& clause) {
  size_t places = 0;
  size_t numbers = 0;
  bool first_is_number = false;
  bool governed = false;
  for (size_t i = clause.first; i < clause.last; ++i) {
    const Item& item = items[i];
    if (item.kind == Kind::kPlace) {
      ++places;
    } else if (is_none(item) || is_count(item)) {
      first_is_number = places == 0;
      clause.number = i;
      if (++numbers > 1) return;
    } else if (!is_link(item)) {
      return;
    }
    governed = governed || item.kind == Kind::kPreposition;
    clause.marked = clause.marked || item.is_mark(":") || item.is_mark("=") || item.is_mark("(");
  }
  if (places == 0) return;
  if (numbers == 0) {
    clause.form = Form::kPlaces;
  } else if (is_none(items[clause.number])) {
    const bool ends = clause.last == items.size() || items[clause.last].is_mark(".");
    if (!first_is_number) clause.form = Form::kNoneOf;
    if (first_is_number && (governed || ends)) clause.form = Form::kNoneAt;
  } else if (!first_is_number) {
    clause.form = Form::kCounted;
  }
}

std::vector<Clause> clauses_of(const std::vector<Item>& items) {
  std::vector<Clause> clauses;
  for (size_t first = 0; first < items.size();) {
    size_t last = first;
    while (last < items.size() && !ends_clause(items[last]) &&
           items[last].sentence == items[first].sentence) {
      ++last;
    }
    Clause clause;
    clause.first = first;
    clause.last = last;
    classify(items, clause);
    // "none in the liver, lung or kidneys"
    const bool goes_on = clause.form == Form::kPlaces && !clauses.empty() &&
                         clauses.back().form == Form::kNoneAt && clauses.back().last + 1 == first;
    if (goes_on) clause.form = Form::kNoneAt;
    if (first < last) clauses.push_back(clause);
    first = last < items.size() && ends_clause(items[last]) ? last + 1 : last;
  }
  return clauses;
}

void become_tumor(Item& item, bool absent) {
  static const Meaning kTumors = [] {
    Meaning meaning;
    meaning.kind = Kind::kTumor;
    meaning.grammar = Grammar::kMany;
    return meaning;
  }();
  static const Meaning kNoTumors = [] {
    Meaning meaning = kTumors;
    meaning.value = "absent";
    return meaning;
  }();
  item.kind = Kind::kTumor;
  item.meaning = absent ? &kNoTumors : &kTumors;
}

}  // namespace

void read_tallies(std::vector<Item>& items) {
  const std::vector<Clause> clauses = clauses_of(items);
  const bool named = std::any_of(items.begin(), items.end(), [](const Item& item) {
    return item.kind == Kind::kTumor || item.kind == Kind::kBenign || item.kind == Kind::kHealthy;
  });
  size_t tallies = 0;
  size_t counted = 0;
  bool marked = false;
  for (const Clause& clause : clauses) {
    tallies += clause.form == Form::kCounted || clause.form == Form::kNoneOf ? 1 : 0;
    counted += clause.form == Form::kCounted ? 1 : 0;
    marked = marked || (clause.form == Form::kCounted && clause.marked);
  }
  const bool counts = !named && counted > 0 && (tallies > 1 || marked);
  for (const Clause& clause : clauses) {
    const bool none = clause.form == Form::kNoneOf || clause.form == Form::kNoneAt;
    if (clause.form == Form::kCounted && counts) {
      become_tumor(items[clause.number], false);
    } else if (none && (named || counts)) {
      for (size_t i = clause.first; i < clause.last; ++i) items[i].kind = Kind::kIgnored;
    } else if (clause.form == Form::kNoneOf) {
      become_tumor(items[clause.number], true);
    }
  }
}

void read_both(std::vector<Item>& items) {
  for (size_t i = 1; i + 1 < items.size(); ++i) {
    Item& item = items[i];
    const bool both = item.kind == Kind::kPlace && !item.meaning->place.organ &&
                      item.meaning->place.side == Side::kBoth;
    const Kind next = items[i + 1].kind;
    const bool told = items[i - 1].is_mark(",") || items[i - 1].is_mark("(") ||
                      items[i - 1].is_mark(";") || items[i - 1].is_mark(".") ||
                      items[i - 1].kind == Kind::kWith;
    const bool ends = i + 2 >= items.size() || items[i + 2].kind == Kind::kMark ||
                      items[i + 2].kind == Kind::kPreposition || items[i + 2].kind == Kind::kAnd;
    // "both new", "both consistent with metastases"
    const bool qualified = next == Kind::kNew || next == Kind::kMeans;
    if (both && told && (qualified || (next == Kind::kSize && ends))) item.kind = Kind::kEach;
  }
}

}  // namespace guidegen::language
