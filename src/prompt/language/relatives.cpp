#include "prompt/language/relatives.hpp"

#include <algorithm>

namespace guidegen::language {
namespace {

class Resolver {
 public:
  explicit Resolver(std::vector<Item>& items) : items_(items) {
    speaker_ = std::any_of(items.begin(), items.end(),
                           [](const Item& item) { return item.kind == Kind::kSpeaker; });
  }

  void run() {
    for (size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (item.kind != Kind::kRelative && item.kind != Kind::kElder) continue;
      const bool patient = is_patient(i);
      if (patient && item.meaning->value.empty()) {
        item.kind = Kind::kPerson;
      } else {
        item.kind = patient ? Kind::kSex : Kind::kFamily;
      }
    }
  }

 private:
  bool is_patient(size_t at) const {
    if (is_speaker(at)) return true;
    if (speaker_ || patient_before(at) || tells_past(at)) return false;
    if (joins_relative(at)) return false;
    if (items_[at].kind == Kind::kElder || (at == 0 && tells_of_first())) return true;
    for (size_t i = at; i-- > 0;) {
      const Kind kind = items_[i].kind;
      if (kind == Kind::kOwn || kind == Kind::kArticle) return true;
      const bool quality = kind == Kind::kUnknown || kind == Kind::kAge || kind == Kind::kRace ||
                           items_[i].is_mark("-") || items_[i].is_mark("'");
      if (!quality) return false;
    }
    return false;
  }

  /// "I am a 38 year old mum"
  bool is_speaker(size_t at) const {
    while (at > 0 && (items_[at - 1].kind == Kind::kUnknown || items_[at - 1].kind == Kind::kAge ||
                      items_[at - 1].kind == Kind::kRace || items_[at - 1].is_mark("-") ||
                      items_[at - 1].kind == Kind::kArticle || items_[at - 1].is_mark(","))) {
      --at;
    }
    return at > 0 && items_[at - 1].kind == Kind::kSpeaker;
  }

  /// "Mom has a mass in her kidney": nobody else is named.
  bool tells_of_first() const {
    // "Abuela de 82 años con …"
    const size_t next = items_.size() > 1 && items_[1].kind == Kind::kPreposition ? 2 : 1;
    if (next < items_.size() && items_[next].kind == Kind::kAge) return true;
    // "grandfather, 90, cancer of …", "grandmother, Chinese, 79, …"
    size_t age = 1;
    while (age < items_.size() && (items_[age].is_mark(",") || items_[age].kind == Kind::kRace)) {
      ++age;
    }
    const bool aged = age > 1 && age + 1 < items_.size() && items_[age + 1].is_mark(",") &&
                      (items_[age].kind == Kind::kAge || items_[age].kind == Kind::kNumber);
    if (aged) return true;
    if (items_.size() < 2 || items_[1].kind != Kind::kWith) return false;
    // An age that ends the text is that of whom it told.
    size_t last = items_.size();
    while (last > 1 && items_[last - 1].kind == Kind::kMark) --last;
    if (items_[last - 1].kind == Kind::kAge) --last;
    return std::none_of(items_.begin() + 1, items_.begin() + static_cast<std::ptrdiff_t>(last),
                        [](const Item& item) {
                          return is_relative(item) || item.kind == Kind::kPerson ||
                                 item.kind == Kind::kSex || item.kind == Kind::kAge;
                        });
  }

  /// Someone else is the patient: "a 52-year-old man with an aunt who had …".
  bool patient_before(size_t at) const {
    const bool elder = items_[at].kind == Kind::kElder;
    for (size_t i = 0; i < at; ++i) {
      const Kind kind = items_[i].kind;
      const bool own_age = kind == Kind::kAge && i + 1 < at && kind != items_[i + 1].kind &&
                           items_[i + 1].kind != Kind::kRace &&
                           items_[i + 1].kind != Kind::kUnknown;
      const bool person = kind == Kind::kPerson || kind == Kind::kPronoun ||
                          (kind == Kind::kSex && !is_named_relative(items_[i])) ||
                          (kind == Kind::kFamily && !(elder && is_named_relative(items_[i])));
      if (person || own_age) return true;
    }
    return false;
  }

  /// One that this pass has made the patient already: "my grandma … grandma is 80".
  static bool is_named_relative(const Item& item) {
    return item.meaning != nullptr &&
           (item.meaning->kind == Kind::kRelative || item.meaning->kind == Kind::kElder);
  }

  /// "my father died of …", "my mother had …".
  bool tells_past(size_t at) const {
    // "I lost my aunt to …"
    const bool lost =
        (at > 0 && items_[at - 1].kind == Kind::kDied) ||
        (at > 1 && items_[at - 1].kind == Kind::kOwn && items_[at - 2].kind == Kind::kDied);
    if (lost) return true;
    for (size_t i = at + 1; i < items_.size() && items_[i].sentence == items_[at].sentence; ++i) {
      const bool past = items_[i].kind == Kind::kWith && items_[i].meaning->value == "past";
      if (past || items_[i].kind == Kind::kDied) return true;
      if (items_[i].kind == Kind::kTumor || items_[i].kind == Kind::kBreak) return false;
    }
    return false;
  }

  /// "grandfather and uncle with colon cancer"
  bool joins_relative(size_t at) const {
    const bool after =
        at + 2 < items_.size() && items_[at + 1].kind == Kind::kAnd && is_relative(items_[at + 2]);
    const bool before = at > 1 && items_[at - 1].kind == Kind::kAnd && is_relative(items_[at - 2]);
    return after || before;
  }

  static bool is_relative(const Item& item) {
    return item.kind == Kind::kRelative || item.kind == Kind::kElder || item.kind == Kind::kFamily;
  }

  std::vector<Item>& items_;
  bool speaker_ = false;  // "I have": the patient tells of himself
};

}  // namespace

void resolve_relatives(std::vector<Item>& items) { Resolver(items).run(); }

}  // namespace guidegen::language
