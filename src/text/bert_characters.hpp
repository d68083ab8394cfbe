#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace guidegen::bert {

/// A character and the bytes [begin, end) of the text that it came from.
struct Character {
  int32_t code_point;
  size_t begin, end;
};

/// Decodes UTF-8. Each malformed sequence (maximal subpart, Unicode 15 section 3.9) becomes one
/// U+FFFD.
std::vector<Character> decode(std::string_view utf8);
void append_utf8(std::string& out, int32_t code_point);

/// Classes of characters as the reference tokenizers have them. Their general categories are those
/// of Unicode 8: characters that came later belong to no class, whatever ICU knows of them, and
/// unassigned code points are kept. White space and letter case are as new as ICU.
bool is_space(int32_t c);
bool is_punctuation(int32_t c);  ///< categories P*, and all ASCII that is neither letter nor digit
bool is_dropped(int32_t c);      ///< U+0000, U+FFFD, categories Cc, Cf, Co but not \t \n \r
bool is_ideograph(int32_t c);    ///< of the blocks that are split into single characters
bool is_accent(int32_t c);       ///< category Mn

/// Canonical decomposition with canonical ordering (NFD) as of Unicode 12; parts keep the place of
/// their whole.
std::vector<Character> decompose(const std::vector<Character>& text);
/// The unconditional lower-case mapping of each character alone: a final sigma is no special case,
/// U+0130 becomes two characters.
std::vector<Character> lower_case(const std::vector<Character>& text);

}  // namespace guidegen::bert
