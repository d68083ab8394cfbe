#include "prompt/language/person.hpp"

#include <algorithm>
#include <cmath>

#include "prompt/language/lone_numbers.hpp"

namespace guidegen::language {
namespace {

template <typename Enum>
Enum enum_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

class Reader {
 public:
  explicit Reader(const std::vector<Item>& items) : items_(items) {}

  Person run() {
    for (size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (item.family) {
        if (item.kind == Kind::kAge) reject(item, "family history");
        continue;
      }
      if (is_one_of_both(i) || is_color(i)) continue;
      take(item);
      if (item.kind == Kind::kAge) average(i);
    }
    if (!person_.sex) take_pronouns();
    if (!person_.age) take_bare_age();
    return std::move(person_);
  }

 private:
  /// "men and women": says no sex.
  bool is_one_of_both(size_t at) const {
    const auto pair = [&](size_t first) {
      if (first + 2 >= items_.size()) return false;
      const Item& one = items_[first];
      const Item& other = items_[first + 2];
      const bool joined = items_[first + 1].kind == Kind::kAnd || items_[first + 1].is_mark("/");
      return joined && one.kind == Kind::kSex && other.kind == Kind::kSex &&
             one.meaning->value != other.meaning->value;
    };
    return pair(at) || (at > 1 && pair(at - 2));
  }

  /// "a firm white mass", but "an Asian cancer patient"
  bool is_color(size_t at) const {
    if (items_[at].kind != Kind::kRace || at + 1 >= items_.size()) return false;
    const bool thing =
        items_[at + 1].kind == Kind::kTumor && items_[at + 1].meaning->grammar != Grammar::kDisease;
    return thing && !(at + 2 < items_.size() && is_person(items_[at + 2]));
  }

  void reject(const Item& item, const std::string& reason) {
    person_.rejected.push_back({{item.begin, item.end}, reason});
  }

  /// The first that is said counts.
  template <typename T>
  void say(std::optional<Said<T>>& field, T value, const Item& item) {
    if (!field) {
      field = {value, {item.begin, item.end}};
    } else if (field->value != value) {
      reject(item, "said otherwise");
    }
  }

  void take(const Item& item) {
    switch (item.kind) {
      case Kind::kSex:
        say(person_.sex, enum_of<Sex>(sex_names(), item.meaning->value), item);
        break;
      case Kind::kRace:
        take_race(item);
        break;
      case Kind::kContrast:
        say(person_.contrast, enum_of<ContrastPhase>(contrast_names(), item.meaning->value), item);
        break;
      case Kind::kAge:
        take_age(item);
        break;
      default:
        break;
    }
  }

  /// "hispanic", or "hispanic female" as "Latina" says.
  void take_race(const Item& item) {
    const std::string& value = item.meaning->value;
    const size_t space = value.find(' ');
    say(person_.race, enum_of<Race>(race_names(), value.substr(0, space)), item);
    if (space == std::string::npos || person_.sex) return;
    say(person_.sex, enum_of<Sex>(sex_names(), value.substr(space + 1)), item);
  }

  /// "50-60 year old", "aged 50-60": the mean.
  void average(size_t at) {
    const auto other = [&](size_t mark, size_t number) {
      if (mark >= items_.size() || number >= items_.size()) return -1.0;
      const Item& between = items_[mark];
      const bool to = between.is_mark("-") ||
                      (between.kind == Kind::kPreposition && between.meaning->value == "toward");
      const Kind kind = items_[number].kind;
      const bool range = to && (kind == Kind::kNumber || kind == Kind::kAge);
      return range ? items_[number].number : -1.0;
    };
    const double before = at > 1 ? other(at - 1, at - 2) : -1;
    const double end = before >= 0 ? before : other(at + 1, at + 2);
    constexpr double kWidest = 20;
    const Item& item = items_[at];
    const bool said = person_.age && person_.age->span.begin == item.begin;
    const bool wide = end < 10 || std::abs(end - item.number) > kWidest;
    if (said && !wide && item.meaning->value != "months") {
      person_.age->value = static_cast<int>((end + item.number) / 2);
    }
  }

  void take_age(const Item& item) {
    const std::string& value = item.meaning->value;
    const double years = std::floor(value == "months" ? item.number / 12 : item.number);
    const bool possible = years >= 0 && years <= 120;
    if (value == "female" || value == "male") {
      if (possible) say(person_.sex, enum_of<Sex>(sex_names(), value), item);
    }
    if (item.past || !possible) {
      reject(item, item.past ? "past" : "out of range");
    } else {
      say(person_.age, static_cast<int>(years), item);
    }
  }

  void take_pronouns() {
    for (const Item& item : items_) {
      const bool telling = item.kind == Kind::kPronoun || item.kind == Kind::kBreak;
      if (!telling || item.meaning->value.empty()) continue;
      if (person_.sex) return;
      person_.sex = {enum_of<Sex>(sex_names(), item.meaning->value), {item.begin, item.end}};
    }
  }

  static bool is_person(const Item& item) {
    return item.kind == Kind::kSex || item.kind == Kind::kPerson || item.kind == Kind::kPronoun ||
           item.kind == Kind::kRace || item.kind == Kind::kSpeaker ||
           (item.kind == Kind::kBreak && !item.meaning->value.empty());
  }

  bool is_end(size_t at) const {
    return at >= items_.size() || items_[at].kind == Kind::kMark || items_[at].kind == Kind::kAnd ||
           items_[at].kind == Kind::kWith || items_[at].kind == Kind::kBreak;
  }

  /// A number that stands alone near a person: "man, 62,", "he is 62 and", "a girl of 9 with".
  bool is_bare_age(size_t at) const {
    const Item& item = items_[at];
    if (item.kind != Kind::kNumber || item.family) return false;
    const bool whole = item.number == std::floor(item.number) && item.number <= 110;
    if (!whole || item.number < 1) return false;
    // Small numbers may count tumors.
    constexpr double kMostTumors = 20;
    const bool may_count = item.number <= kMostTumors;
    if (!may_count && is_aside(at)) return true;
    if (!near_person(at)) return false;
    if (!may_count && is_told_of_person(at)) return true;
    if (is_of_singular(items_, at)) return true;
    // "66 male"
    const bool sex_next = at + 1 < items_.size() && items_[at + 1].kind == Kind::kSex;
    if (sex_next && !may_count) return true;
    // "died at 57 of"
    const bool died =
        at > 1 && items_[at - 1].kind == Kind::kPreposition && items_[at - 2].kind == Kind::kDied;
    if (died && !may_count) return true;
    if (at > 0 && is_person(items_[at - 1])) return !may_count || is_end(at + 1);
    const bool about = at > 1 && items_[at - 1].kind == Kind::kUnknown && is_person(items_[at - 2]);
    if (about && !may_count && is_end(at + 1)) return true;
    // "my kid (7, girl)"
    const bool told = at > 1 && items_[at - 1].is_mark("(") && is_person(items_[at - 2]) &&
                      at + 2 < items_.size() && items_[at + 1].is_mark(",") &&
                      is_person(items_[at + 2]);
    if (told) return true;
    const bool opens = at == 0 || items_[at - 1].kind == Kind::kMark;
    if (opens && may_count) return at > 1 && is_person(items_[at - 2]) && is_end(at + 1);
    if (opens) return is_end(at + 1);
    const bool after_person =
        items_[at - 1].kind == Kind::kAnd || items_[at - 1].kind == Kind::kBreak;
    if (after_person && !may_count && at > 1 && is_end(at + 1)) {
      // "is Vietnamese and 63", "himself, now 52"
      const bool person = is_person(items_[at - 2]);
      return person || (items_[at - 1].kind == Kind::kBreak && items_[at - 2].kind == Kind::kMark);
    }
    // "At ninety-one she has …"
    const bool clause = items_[at - 1].kind == Kind::kPreposition &&
                        (at < 2 || items_[at - 2].sentence != items_[at].sentence);
    if (clause && !may_count && at + 1 < items_.size() &&
        (items_[at + 1].kind == Kind::kPronoun || items_[at + 1].is_mark(","))) {
      return true;
    }
    const bool linked =
        items_[at - 1].kind == Kind::kPreposition || items_[at - 1].kind == Kind::kWith;
    if (!linked || at < 2 || !is_end(at + 1)) return false;
    if (is_person(items_[at - 2])) return true;
    // "Ms. Lopez is 49", "she has a sigmoid tumor at 46"
    size_t title = at - 2;
    while (title > 0 && (items_[title].kind == Kind::kUnknown || items_[title].is_mark("."))) {
      --title;
    }
    const bool named = items_[at - 2].kind == Kind::kUnknown && is_person(items_[title]);
    return named || (!may_count && !items_[at].past && items_[at - 1].kind == Kind::kPreposition &&
                     items_[at - 2].kind == Kind::kTumor);
  }

  /// "claimant, 46, has", "my brother's (52) CT"
  bool is_aside(size_t at) const {
    if (at < 2) return false;
    const Item& next = at + 1 < items_.size() ? items_[at + 1] : items_[at - 1];
    const Kind before = items_[at - 2].kind;
    const bool noun = before == Kind::kUnknown || before == Kind::kPerson || before == Kind::kSex ||
                      items_[at - 2].is_mark("'");
    const bool commas =
        items_[at - 1].is_mark(",") && (next.is_mark(",") || next.kind == Kind::kWith);
    return noun && (commas || (items_[at - 1].is_mark("(") && next.is_mark(")")));
  }

  /// "a man of 62 for the lesson", "male, 64 at diagnosis", "woman, about 65"
  bool is_told_of_person(size_t at) const {
    if (at < 2) return false;
    const Item& before = items_[at - 1];
    const Item& next = at + 1 < items_.size() ? items_[at + 1] : items_[at];
    const bool copula = before.kind == Kind::kWith && before.meaning->value == "copula";
    const bool linked = before.kind == Kind::kPreposition || copula;
    const bool counts = next.kind == Kind::kTumor || next.kind == Kind::kPlace ||
                        next.kind == Kind::kPerson || next.kind == Kind::kSex ||
                        next.kind == Kind::kBenign || next.kind == Kind::kUnknown;
    if (linked && items_[at - 2].kind == Kind::kSex && !counts) return true;
    if (before.is_mark(",") && is_person(items_[at - 2]) && next.kind == Kind::kPreposition) {
      return true;
    }
    return at > 2 && before.kind == Kind::kUnknown && items_[at - 2].is_mark(",") &&
           is_person(items_[at - 3]) && is_end(at + 1);
  }

  bool near_person(size_t at) const {
    constexpr size_t kNear = 10;
    const size_t first = at > kNear ? at - kNear : 0;
    const size_t last = std::min(items_.size(), at + kNear);
    return std::any_of(items_.begin() + static_cast<std::ptrdiff_t>(first),
                       items_.begin() + static_cast<std::ptrdiff_t>(last), is_person);
  }

  /// "boy, 11 months, …"; elsewhere months are durations.
  bool is_bare_months(size_t at) const {
    const Item& item = items_[at];
    const bool months =
        item.kind == Kind::kIgnored && item.meaning != nullptr && item.meaning->value == "months";
    if (!months || !is_end(at + 1)) return false;
    const size_t person = at > 0 && items_[at - 1].is_mark(",") ? at - 1 : at;
    return person > 0 && is_person(items_[person - 1]) && item.number <= 36;
  }

  void take_bare_age() {
    for (size_t i = 0; i < items_.size(); ++i) {
      if (is_bare_months(i)) {
        const int years = static_cast<int>(items_[i].number / 12);
        person_.age = {years, {items_[i].begin, items_[i].end}};
        return;
      }
      if (!is_bare_age(i)) continue;
      person_.age = {static_cast<int>(items_[i].number), {items_[i].begin, items_[i].end}};
      return;
    }
  }

  const std::vector<Item>& items_;
  Person person_;
};

}  // namespace

Person person_of(const std::vector<Item>& items) { return Reader(items).run(); }

}  // namespace guidegen::language
