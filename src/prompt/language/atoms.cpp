#include "prompt/language/atoms.hpp"

#include <algorithm>
#include <utility>

#include "prompt/language/measures.hpp"

namespace guidegen::language {
namespace {

Atom atom_of(Token token) {
  Atom atom;
  atom.number = token.number;
  if (token.type == Token::Type::kMark) atom.kind = Kind::kMark;
  if (token.type == Token::Type::kNumber) atom.kind = Kind::kNumber;
  atom.token = std::move(token);
  return atom;
}

/// The token of bytes `from` up to `to` of the text of a compound.
Token part_of(const Token& token, size_t from, size_t to) {
  Token part = token;
  part.text = token.text.substr(from, to - from);
  part.begin = token.origins.at(from);
  part.end = to < token.origins.size() ? token.origins.at(to) : token.end;
  part.origins.assign(token.origins.begin() + static_cast<std::ptrdiff_t>(from),
                      token.origins.begin() + static_cast<std::ptrdiff_t>(to));
  part.glued = token.glued || from > 0;
  return part;
}

void append_word(Token token, const Language& language, std::vector<Atom>& out) {
  const Lexicon& lexicon = language.lexicon;
  if (language.compounds && !lexicon.knows_word(token.text)) {
    size_t from = 0;
    const std::vector<std::string> parts = lexicon.parts_of_compound(token.text);
    for (const std::string& part : parts) {
      out.push_back(atom_of(part_of(token, from, from + part.size())));
      from += part.size();
    }
    if (!parts.empty()) return;
  }
  if (token.glued && !lexicon.knows_word(token.text)) {
    // "5cmx4cm"
    for (const std::string& by : language.by) {
      const bool ends = token.text.size() > by.size() && token.text.ends_with(by);
      const size_t unit = ends ? token.text.size() - by.size() : 0;
      if (unit == 0 || language.units.count(token.text.substr(0, unit)) == 0) continue;
      out.push_back(atom_of(part_of(token, 0, unit)));
      out.push_back(atom_of(part_of(token, unit, token.text.size())));
      return;
    }
  }
  token.text = lexicon.corrected(token.text);
  out.push_back(atom_of(std::move(token)));
}

}  // namespace

std::vector<Atom> atoms_of(std::string_view utf8, const Language& language) {
  std::vector<Atom> atoms;
  for (Token& token : tokenize(utf8)) {
    if (token.type == Token::Type::kWord) {
      append_word(std::move(token), language, atoms);
    } else {
      atoms.push_back(atom_of(std::move(token)));
    }
  }
  return with_measures(atoms, language);
}

}  // namespace guidegen::language
