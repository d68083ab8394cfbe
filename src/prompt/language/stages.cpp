#include "prompt/language/stages.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace guidegen::language {
namespace {

using Stage = std::optional<std::pair<std::string, size_t>>;

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Letters and digits without white space, "t2an0", and one past them.
std::pair<std::string, size_t> chunk_at(const std::vector<Atom>& atoms, size_t at) {
  std::string chunk;
  size_t end = at;
  for (; end < atoms.size() && chunk.size() < 16; ++end) {
    const Token& token = atoms[end].token;
    const bool part =
        atoms[end].kind != Kind::kMark && is_ascii(token.text) && (end == at || token.glued);
    if (!part) break;
    chunk += token.text;
  }
  return {chunk, end};
}

/// Reads characters of a chunk from the front.
class Cursor {
 public:
  explicit Cursor(const std::string& text) : text_(text) {}
  bool done() const { return at_ == text_.size(); }
  bool take(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }
  /// One of these characters, or 0.
  char take_of(const std::string& allowed) {
    if (done() || allowed.find(text_[at_]) == std::string::npos) return 0;
    return text_[at_++];
  }

 private:
  const std::string& text_;
  size_t at_ = 0;
};

bool take_nodes(Cursor& cursor) {
  bool any = false;
  for (const char* letter : {"n", "m"}) {
    cursor.take_of("cp");
    if (!cursor.take(letter)) continue;
    if (cursor.take_of("0123x+") == 0) return false;
    cursor.take_of("abcd");
    any = true;
  }
  return any;
}

/// "t2a", "pt3n1", "ct1bn0m0".
std::string tumor_stage(const std::string& chunk) {
  Cursor cursor(chunk);
  for (int i = 0; i < 2; ++i) cursor.take_of("cmpyru");
  if (!cursor.take("t")) return "";
  std::string stage = "T";
  if (cursor.take("is")) {
    stage += "is";
  } else if (cursor.take("x")) {
    stage += "X";
  } else {
    const char number = cursor.take_of("01234");
    if (number == 0) return "";
    stage += number;
    if (cursor.take("mi")) {
      stage += "mi";
    } else if (const char letter = cursor.take_of("abcd")) {
      stage += letter;
    }
  }
  return cursor.done() || (take_nodes(cursor) && cursor.done()) ? stage : "";
}

/// "iiia", "3b", "iv", "ia2".
std::string overall_stage(const std::string& chunk) {
  Cursor cursor(chunk);
  static const std::array<const char*, 5> romans{"0", "I", "II", "III", "IV"};
  std::string stage;
  if (const char digit = cursor.take_of("01234")) {
    stage = romans.at(static_cast<size_t>(digit - '0'));
  } else if (cursor.take("iv")) {
    stage = "IV";
  } else {
    while (stage.size() < 3 && cursor.take("i")) stage += "I";
  }
  if (stage.empty()) return "";
  if (const char letter = cursor.take_of("abcd")) {
    stage += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  if (const char digit = cursor.take_of("123")) stage += digit;
  return cursor.done() ? stage : "";
}

Stage overall_at(const std::vector<Atom>& atoms, size_t at) {
  if (at >= atoms.size()) return std::nullopt;
  const Atom& atom = atoms[at];
  // "stage three": the number of the word.
  if (atom.kind == Kind::kNumber && atom.token.type == Token::Type::kWord) {
    const std::string digits = std::to_string(static_cast<int>(std::min(atom.number, 99.0)));
    const std::string stage = overall_stage(digits);
    if (!stage.empty()) return std::pair{stage, at + 1};
    return std::nullopt;
  }
  const auto [chunk, end] = chunk_at(atoms, at);
  const std::string stage = overall_stage(chunk);
  if (stage.empty()) return std::nullopt;
  return std::pair{stage, end};
}

/// "N0 M0" after "T2".
size_t past_nodes(const std::vector<Atom>& atoms, size_t at) {
  while (true) {
    const auto [chunk, end] = chunk_at(atoms, at);
    Cursor cursor(chunk);
    if (end == at || !take_nodes(cursor) || !cursor.done()) return at;
    at = end;
  }
}

Stage tumor_stage_at(const std::vector<Atom>& atoms, size_t at) {
  if (at >= atoms.size() || (at > 0 && atoms[at].token.glued && atoms[at - 1].kind != Kind::kMark &&
                             is_ascii(atoms[at - 1].token.text))) {
    return std::nullopt;
  }
  const auto [chunk, end] = chunk_at(atoms, at);
  const std::string stage = tumor_stage(chunk);
  if (stage.empty()) return std::nullopt;
  return std::pair{stage, past_nodes(atoms, end)};
}

}  // namespace

std::string bare_stage(const std::string& folded) {
  const bool roman = folded.starts_with("ii") || folded.starts_with("iv");
  const bool letter = !folded.empty() && folded.back() >= 'a' && folded.back() <= 'd';
  return roman && letter ? overall_stage(folded) : "";
}

std::optional<std::pair<std::string, size_t>> read_stage(const std::vector<Atom>& atoms, size_t at,
                                                         const Language& language) {
  if (contains(language.stage_before, atoms[at].token.text)) {
    size_t next = at + 1;
    if (next < atoms.size() && (atoms[next].token.text == ":" || atoms[next].token.text == "-" ||
                                atoms[next].token.text == "(")) {
      ++next;
    }
    if (const Stage stage = tumor_stage_at(atoms, next)) return stage;
    return overall_at(atoms, next);
  }
  if (const Stage stage = tumor_stage_at(atoms, at)) return stage;
  if (language.stage_after.empty()) return std::nullopt;
  const Stage stage = overall_at(atoms, at);
  if (!stage || stage->second >= atoms.size()) return std::nullopt;
  if (!contains(language.stage_after, atoms[stage->second].token.text)) return std::nullopt;
  return std::pair{stage->first, stage->second + 1};
}

}  // namespace guidegen::language
