#include "prompt/language/origins.hpp"

namespace guidegen::language {

void read_origins(std::vector<Item>& items) {
  bool named = false;
  bool spread = false;
  for (const Item& item : items) {
    if (item.kind == Kind::kBenign) named = true;
    if (item.kind != Kind::kTumor || item.meaning->value == "origin") continue;
    const bool says_spread = item.meaning->value == "spread";
    spread = spread || says_spread;
    named = named || !says_spread;
  }
  for (Item& item : items) {
    if (item.kind != Kind::kTumor || item.meaning->value != "origin") continue;
    if (named || !spread) item.kind = Kind::kPreposition;
  }
}

void read_metastatic(std::vector<Item>& items) {
  static const Meaning kSpread = [] {
    Meaning meaning;
    meaning.kind = Kind::kTumor;
    meaning.value = "spread";
    meaning.grammar = Grammar::kMany;
    return meaning;
  }();
  const auto says = [&](size_t at, Kind kind, const char* value) {
    return items[at].kind == kind && items[at].meaning != nullptr &&
           items[at].meaning->value == value;
  };
  bool metastatic = false;
  for (size_t i = 0; i + 1 < items.size(); ++i) {
    const Kind kind = items[i].kind;
    if (says(i, Kind::kUnknown, "metastatic")) metastatic = true;
    const bool goes_on = kind == Kind::kUnknown || kind == Kind::kPlace || kind == Kind::kTumor;
    const bool toward = metastatic && i > 0 && items[i - 1].kind == Kind::kTumor &&
                        says(i, Kind::kPreposition, "toward");
    if (toward) {
      items[i].kind = Kind::kTumor;
      items[i].meaning = &kSpread;
    }
    metastatic = metastatic && goes_on;
  }
}

}  // namespace guidegen::language
