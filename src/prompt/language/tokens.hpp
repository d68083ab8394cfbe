#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace guidegen::language {

/// A word, a number or a punctuation mark of a text, folded: without case, accents and width.
/// Every character of a script without spaces (Chinese) is a word of its own.
struct Token {
  enum class Type { kWord, kNumber, kMark };
  Type type = Type::kWord;
  std::string text;   ///< folded UTF-8; a line break that ends a line of a list is "\n"
  double number = 0;  ///< of kNumber
  size_t begin = 0;   ///< bytes of the original text, end exclusive
  size_t end = 0;
  bool glued = false;  ///< no white space before it
  /// Where in the original the character starts that gave each byte of `text`; kWord alone.
  std::vector<size_t> origins;
};

/// Any bytes are fine: those that are no UTF-8 count as white space.
std::vector<Token> tokenize(std::string_view utf8);

/// The text with U+FFFD for bytes that are no UTF-8.
std::string valid_utf8(std::string_view bytes);

}  // namespace guidegen::language
