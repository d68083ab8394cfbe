#include "prompt/language/lexicon.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"
#include "prompt/language/edit_distance.hpp"

namespace guidegen::language {
namespace {

constexpr const char* kNumberSlot = "{n}";
constexpr const char* kDigitsSlot = "{digits}";
constexpr const char* kSizeSlot = "{size}";
constexpr const char* kStageSlot = "{stage}";
/// Opens an edge whose word follows without white space; no word contains it.
constexpr char kGlued = '~';

bool is_skipped(const Token& token) {
  return token.type == Token::Type::kMark && (token.text == "-" || token.text == "'");
}

/// Edges of a phrase: folded words, marks and slots.
std::vector<std::string> edges_of(const std::string& phrase) {
  std::vector<std::string> edges;
  const std::vector<Token> tokens = tokenize(phrase);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (is_skipped(tokens[i])) continue;
    if (tokens[i].text == "{" && i + 2 < tokens.size() && tokens[i + 2].text == "}") {
      edges.push_back("{" + tokens[i + 1].text + "}");
      i += 2;
    } else {
      const bool glued = !edges.empty() && edges.back() == kNumberSlot && tokens[i].glued;
      const bool word = tokens[i].type == Token::Type::kWord;
      edges.push_back((glued && word ? std::string(1, kGlued) : "") + tokens[i].text);
    }
  }
  return edges;
}

/// Single words are like short phrases; numbers are like all other numbers.
bool is_short(const std::string& phrase) {
  constexpr size_t kMostWords = 2;
  const std::vector<Token> tokens = tokenize(phrase);
  const auto is_word = [](const Token& token) { return token.type == Token::Type::kWord; };
  return tokens.size() <= kMostWords && std::all_of(tokens.begin(), tokens.end(), is_word);
}

bool is_candidate(const Meaning& meaning) {
  return (meaning.kind == Kind::kPlace && (meaning.place.organ || meaning.place.outside)) ||
         meaning.kind == Kind::kTumor || meaning.kind == Kind::kBenign;
}

/// Whether words may get this meaning by similarity. Embeddings take "hepatocyte" for a
/// hepatocellular carcinoma, "cystadenocarcinoma" for a cystadenoma and "mesocolic" for another
/// organ: such terms only keep words from being taken for others.
bool may_be_guessed(const Meaning& meaning) {
  if (meaning.kind == Kind::kTumor) return meaning.place == Place{} && meaning.value.empty();
  return meaning.kind == Kind::kPlace && meaning.place.organ && !meaning.place.implied &&
         !meaning.place.outside;
}

bool mean_the_same(const Meaning& a, const Meaning& b) {
  return a.kind == b.kind && a.place == b.place && may_be_guessed(a) && may_be_guessed(b);
}

bool ends_clause(const std::vector<Atom>& atoms, size_t at) {
  return at >= atoms.size() || (atoms[at].kind == Kind::kMark && !is_skipped(atoms[at].token));
}

}  // namespace

struct Lexicon::Search {
  const std::vector<Atom>& atoms;
  bool opens;  // a clause, so that phrases marked "=" count
  std::optional<Match> best;
};

size_t Lexicon::child(size_t node, const std::string& edge) {
  const auto found = nodes_[node].next.find(edge);
  if (found != nodes_[node].next.end()) return found->second;
  const size_t made = nodes_.size();
  nodes_[node].next.emplace(edge, made);
  nodes_.emplace_back();
  return made;
}

void Lexicon::add(const std::string& phrase, const Meaning& meaning, const std::string& source) {
  const bool alone = phrase.starts_with("=");
  const std::string words = alone ? phrase.substr(1) : phrase;
  size_t node = 0;
  for (const std::string& edge : edges_of(words)) {
    const bool slot =
        edge == kNumberSlot || edge == kDigitsSlot || edge == kSizeSlot || edge == kStageSlot;
    if (edge.starts_with("{") && !slot) {
      throw_usage(source, ": ", meaning.key, ": '", phrase, "' has an unknown slot, expected ",
                  kNumberSlot, ", ", kDigitsSlot, ", ", kSizeSlot, " or ", kStageSlot);
    }
    node = child(node, edge);
    const std::string word = edge.front() == kGlued ? edge.substr(1) : edge;
    phrase_words_.insert(word);
    words_.insert(word);
  }
  if (node == 0) {
    throw_usage(source, ": ", meaning.key, ": '", phrase, "' has no words, expected a phrase");
  }
  int& place = alone ? nodes_[node].alone : nodes_[node].meaning;
  if (place >= 0 && meanings_[static_cast<size_t>(place)].key == meaning.key) return;
  if (place >= 0) {
    throw_usage(source, ": ", meaning.key, ": '", phrase, "' stands in ",
                meanings_[static_cast<size_t>(place)].key, " too, expected every phrase once");
  }
  place = static_cast<int>(meanings_.size());
  meanings_.push_back(meaning);
  if (is_candidate(meaning) && is_short(words)) add_candidate(words, static_cast<size_t>(place));
}

void Lexicon::add_candidate(const std::string& term, size_t meaning) {
  auto& [terms, meanings] = candidates_;
  const auto known = std::find(terms.begin(), terms.end(), term);
  const auto at = static_cast<size_t>(known - terms.begin());
  if (known == terms.end()) {
    terms.push_back(term);
    meanings.push_back(0);
  }
  candidate_meanings_.resize(terms.size());
  candidate_meanings_[at] = meaning;
  if (!may_be_guessed(meanings_[meaning])) return;
  const auto same = [&](const Meaning& other) { return mean_the_same(other, meanings_[meaning]); };
  const auto first = std::find_if(meanings_.begin(), meanings_.end(), same);
  meanings[at] = 1 + static_cast<size_t>(first - meanings_.begin());
}

const Meaning* Lexicon::meaning_of_candidate(size_t index) const {
  return candidates_.meanings.at(index) == 0 ? nullptr : &meanings_[candidate_meanings_[index]];
}

void Lexicon::add_known_word(const std::string& word) {
  for (const Token& token : tokenize(word)) {
    if (!words_.insert(token.text).second) continue;
    candidates_.terms.push_back(token.text);
    candidates_.meanings.push_back(0);
  }
}

void Lexicon::add_number_word(const std::string& word) {
  phrase_words_.insert(word);
  words_.insert(word);
}

void Lexicon::add_correction(const std::string& wrong, const std::string& right) {
  corrections_.emplace(wrong, right);
}

std::optional<Match> Lexicon::longest(const std::vector<Atom>& atoms, size_t at, bool opens) const {
  Search search{atoms, opens || at == 0 || ends_clause(atoms, at - 1), std::nullopt};
  walk(search, 0, at, 0);
  return search.best;
}

void Lexicon::walk(Search& search, size_t node, size_t at, double number) const {
  const std::vector<Atom>& atoms = search.atoms;
  const auto offer = [&](int meaning) {
    if (meaning < 0 || (search.best && search.best->end >= at)) return;
    search.best = Match{&meanings_[static_cast<size_t>(meaning)], at, number};
  };
  offer(nodes_[node].meaning);
  if (search.opens && ends_clause(atoms, at)) offer(nodes_[node].alone);
  if (at >= atoms.size()) return;
  const auto follow = [&](const std::string& edge, double value) {
    const auto found = nodes_[node].next.find(edge);
    if (found != nodes_[node].next.end()) walk(search, found->second, at + 1, value);
  };
  const Atom& atom = atoms[at];
  // What a phrase says literally goes before what it leaves open: "tumors: 0".
  if (atom.kind == Kind::kNumber) follow(atom.token.text, number);
  if (atom.kind == Kind::kNumber) follow(kNumberSlot, atom.number);
  if (atom.token.type == Token::Type::kNumber) follow(kDigitsSlot, atom.number);
  if (atom.kind == Kind::kSize) return follow(kSizeSlot, atom.number);
  if (atom.kind == Kind::kStage) return follow(kStageSlot, number);
  // "segment six" is "segment 6".
  const bool in_words = atom.kind == Kind::kNumber && atom.token.type == Token::Type::kWord;
  if (in_words) follow(std::to_string(static_cast<int>(atom.number)), atom.number);
  if (atom.token.glued) follow(kGlued + atom.token.text, number);
  follow(atom.token.text, number);
  // Never at the ends of a phrase: a mark there belongs to the sentence.
  if (node != 0 && is_skipped(atom.token)) skip(search, node, at, number);
}

void Lexicon::skip(Search& search, size_t node, size_t at, double number) const {
  // Only marks inside of words: a dash between spaces separates.
  const std::vector<Atom>& atoms = search.atoms;
  const bool inside = atoms[at].token.glued || (at + 1 < atoms.size() && atoms[at + 1].token.glued);
  const std::optional<Match> before = search.best;
  if (inside) walk(search, node, at + 1, number);
  // The phrase itself ended before the mark.
  if (search.best && search.best->end == at + 1) search.best = before;
}

std::string Lexicon::corrected(const std::string& folded) const {
  const auto listed = corrections_.find(folded);
  if (listed != corrections_.end()) return listed->second;
  if (knows_word(folded)) return folded;
  // Short words have too many neighbors that mean something else.
  constexpr size_t kShortest = 6;
  constexpr size_t kLong = 9;
  if (folded.size() < kShortest) return slip_corrected(folded);
  size_t best = folded.size() < kLong ? 2 : 3;
  std::string guess;
  for (const std::string& word : phrase_words_) {
    if (word.size() + 1 < kShortest || word.front() != folded.front()) continue;
    const size_t distance = edit_distance(folded, word, best);
    if (distance < best) {
      best = distance;
      guess = word;
    } else if (distance == best && !guess.empty() && edit_distance(guess, word, 2) > 2) {
      return folded;  // two words are as near, and no forms of one word
    }
  }
  return guess.empty() ? folded : guess;
}

std::string Lexicon::slip_corrected(const std::string& folded) const {
  constexpr size_t kShortest = 4;
  std::string guess;
  if (folded.size() < kShortest) return folded;
  for (size_t i = 1; i < folded.size(); ++i) {
    std::string swapped = folded;
    std::swap(swapped[i - 1], swapped[i]);
    std::string single = folded;
    if (folded[i] == folded[i - 1]) single.erase(i, 1);
    for (const std::string& word : {swapped, single}) {
      if (word.size() < kShortest || word == guess || phrase_words_.count(word) == 0) continue;
      if (!guess.empty()) return folded;
      guess = word;
    }
  }
  return guess.empty() ? folded : guess;
}

std::vector<std::string> Lexicon::parts_of_compound(const std::string& folded) const {
  constexpr size_t kShortestPart = 4;
  // No real word is longer, and ways to cut one grow with its length.
  constexpr size_t kLongest = 48;
  if (folded.size() > kLongest) return {};
  for (size_t cut = folded.size(); cut-- > kShortestPart;) {
    const std::string head = folded.substr(0, cut);
    if (phrase_words_.count(head) == 0) continue;
    const std::string rest = folded.substr(cut);
    if (rest.size() < kShortestPart) continue;
    if (phrase_words_.count(rest) != 0) return {head, rest};
    std::vector<std::string> parts = parts_of_compound(rest);
    if (parts.empty()) continue;
    parts.insert(parts.begin(), head);
    return parts;
  }
  return {};
}

}  // namespace guidegen::language
