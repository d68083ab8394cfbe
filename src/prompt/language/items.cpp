#include "prompt/language/items.hpp"

#include <algorithm>
#include <cctype>

#include "prompt/language/atoms.hpp"
#include "prompt/language/stages.hpp"

namespace guidegen::language {
namespace {

Item item_of(const Atom& atom) {
  Item item;
  item.kind = atom.kind;
  item.number = atom.number;
  item.stage = atom.stage;
  item.text = item.last_word = atom.token.text;
  item.begin = atom.token.begin;
  item.end = atom.token.end;
  item.glued = atom.token.glued;
  return item;
}

Item item_of(const std::vector<Atom>& atoms, size_t at, const Match& match) {
  Item item = item_of(atoms[at]);
  item.kind = match.meaning->kind;
  item.meaning = match.meaning;
  item.number = match.meaning->number >= 0 ? match.meaning->number : match.number;
  // "number of tumors: 0"
  if (item.kind == Kind::kCount && match.meaning->number < 0 && item.number == 0) {
    item.kind = Kind::kHealthy;
  }
  item.end = atoms[match.end - 1].token.end;
  item.last_word = atoms[match.end - 1].token.text;
  return item;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "segments II and VII", "seg 2, 7": the word before the numbers is said once. Appends the places
/// that follow the one whose phrase starts at `first`; one past the last of their atoms.
size_t take_elided(const std::vector<Atom>& atoms, size_t first, size_t at,
                   const Language& language, std::vector<Item>& items) {
  const auto joins = [&](const Atom& atom) {
    const std::string& text = atom.token.text;
    return text == "," || text == "/" || contains(language.and_words, text);
  };
  // "of the liver"
  const auto is_of_organ = [&](size_t next) {
    for (const Kind kind : {Kind::kPreposition, Kind::kDefinite}) {
      const std::optional<Match> match = language.lexicon.longest(atoms, next);
      if (match && match->meaning->kind == kind) next = match->end;
    }
    const std::optional<Match> organ = language.lexicon.longest(atoms, next);
    return organ && organ->meaning->place.organ && !organ->meaning->place.side;
  };
  // "segment 4 and 2 lesions": a number that goes on is none of a segment.
  const auto counts = [&](size_t number) {
    if (atoms[number].kind != Kind::kNumber || number + 1 >= atoms.size()) return false;
    const Atom& next = atoms[number + 1];
    if (next.kind == Kind::kMark || joins(next)) return false;
    const std::optional<Match> match = language.lexicon.longest(atoms, number + 1);
    return !match || (match->meaning->kind != Kind::kWith && !is_of_organ(number + 1));
  };
  while (at + 1 < atoms.size() && joins(atoms[at]) && !counts(at + 1)) {
    const std::vector<Atom> phrase{atoms[first], atoms[at + 1]};
    const std::optional<Match> place = language.lexicon.longest(phrase, 0);
    if (!place || place->end != phrase.size() || place->meaning->kind != Kind::kPlace) break;
    const std::optional<Match> joiner = language.lexicon.longest(atoms, at);
    items.push_back(joiner ? item_of(atoms, at, *joiner) : item_of(atoms[at]));
    items.push_back(item_of(phrase, 0, *place));
    items.back().begin = atoms[at + 1].token.begin;
    at += 2;
  }
  return at;
}

std::vector<Item> looked_up(const std::vector<Atom>& atoms, const Language& language) {
  std::vector<Item> items;
  for (size_t at = 0; at < atoms.size();) {
    // "late 60s M."
    const bool after_age = !items.empty() && items.back().kind == Kind::kAge;
    const std::optional<Match> match = language.lexicon.longest(atoms, at, after_age);
    if (match) {
      items.push_back(item_of(atoms, at, *match));
      const bool numbered =
          match->meaning->kind == Kind::kPlace && contains(language.numbered, atoms[at].token.text);
      at = numbered ? take_elided(atoms, at, match->end, language, items) : match->end;
    } else {
      items.push_back(item_of(atoms[at++]));
      Item& item = items.back();
      if (item.kind == Kind::kUnknown) item.stage = bare_stage(item.text);
      if (item.kind == Kind::kUnknown && !item.stage.empty()) item.kind = Kind::kStage;
    }
  }
  return items;
}

/// Gives words that the lexicon lacks the meaning of the term that the matcher finds for them.
void match_unknown(std::vector<Item>& items, std::string_view utf8, const Language& language,
                   const TermMatcher& matcher) {
  constexpr size_t kShortest = 4;
  const auto is_open = [&](const Item& item) {
    return item.kind == Kind::kUnknown && item.text.size() >= kShortest &&
           !language.lexicon.knows_word(item.text);
  };
  for (Item& item : items) {
    if (!is_open(item)) continue;
    const std::string words(utf8.substr(item.begin, item.end - item.begin));
    const TermCandidates& candidates = language.lexicon.candidates();
    const auto found = matcher(words, candidates);
    if (!found || found->second < language.matcher_threshold) continue;
    const Meaning* meaning = language.lexicon.meaning_of_candidate(found->first);
    if (meaning == nullptr) continue;
    item.meaning = meaning;
    item.kind = meaning->kind;
    item.similarity = Similarity{candidates.terms[found->first], found->second};
  }
}

bool follows_abbreviation(const std::vector<Item>& items, size_t at, const Language& language) {
  if (at == 0 || !items[at].glued) return false;
  const auto& words = language.abbreviations;
  // "colon ca." may well end a sentence.
  const Item& before = items[at - 1];
  const std::string& word = before.kind == Kind::kTumor ? before.text : before.last_word;
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool opens_line(std::string_view utf8, const Item& item) {
  const auto first = static_cast<unsigned char>(utf8[item.begin]);
  return std::isupper(first) != 0 || std::isdigit(first) != 0 || first == '-' || first == '*' ||
         first >= 0x80;
}

/// Whether a sentence ends with this mark.
bool ends_sentence(const std::vector<Item>& items, size_t at, std::string_view utf8,
                   const Language& language) {
  const Item& item = items[at];
  if (item.kind != Kind::kMark) return false;
  if (item.text == ";" || item.text == "!" || item.text == "\n\n") return true;
  const bool last = at + 1 == items.size();
  if (item.text == "?") return item.glued;  // "?RCC" only doubts
  if (item.text == "\n") return last || opens_line(utf8, items[at + 1]);
  return item.text == "." && (last || !items[at + 1].glued) &&
         !follows_abbreviation(items, at, language);
}

}  // namespace

std::vector<Item> items_of(std::string_view utf8, const Language& language,
                           const TermMatcher& matcher) {
  std::vector<Item> items = looked_up(atoms_of(utf8, language), language);
  if (matcher) match_unknown(items, utf8, language, matcher);
  size_t sentence = 0;
  for (size_t at = 0; at < items.size(); ++at) {
    items[at].sentence = sentence;
    if (ends_sentence(items, at, utf8, language)) ++sentence;
  }
  return items;
}

}  // namespace guidegen::language
