#include "text/bert_characters.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "guidegen/core/error.hpp"

namespace guidegen::bert {

namespace {

constexpr uint8_t kCategoriesOf = 8;  // major version of Unicode

// What Unicode 8 said of the few characters whose category changed later.
struct Changed {
  int32_t code_point;
  UCharCategory category;
};
constexpr std::array kChanged{
    Changed{0x166D, U_OTHER_PUNCTUATION},      Changed{0x1734, U_NON_SPACING_MARK},
    Changed{0x1885, U_OTHER_LETTER},           Changed{0x1886, U_OTHER_LETTER},
    Changed{0xA9BD, U_COMBINING_SPACING_MARK}, Changed{0x111C9, U_OTHER_PUNCTUATION},
};

constexpr uint8_t kDecompositionsOf = 12;

uint8_t age_of(int32_t c) {
  UVersionInfo age;
  u_charAge(c, age);
  return age[0];
}

/// Bit of the general category, as U_GET_GC_MASK; 0 for what Unicode 8 did not have.
uint32_t category_bit(int32_t c) {
  for (const auto& changed : kChanged) {
    if (changed.code_point == c) return U_MASK(changed.category);
  }
  return age_of(c) > kCategoriesOf || u_charType(c) == U_UNASSIGNED ? 0 : U_MASK(u_charType(c));
}

bool in_range(int32_t c, int32_t first, int32_t last) { return c >= first && c <= last; }

const icu::Normalizer2& nfd() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = icu::Normalizer2::getNFDInstance(status);
  if (U_FAILURE(status)) throw_failure("ICU: no NFD data: ", u_errorName(status));
  return *normalizer;
}

}  // namespace

std::vector<Character> decode(std::string_view utf8) {
  std::vector<Character> text;
  text.reserve(utf8.size());
  const auto* bytes = utf8.data();
  const auto size = static_cast<int64_t>(utf8.size());
  for (int64_t at = 0; at < size;) {
    const int64_t begin = at;
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(bytes, at, size, c);
    text.push_back({c, static_cast<size_t>(begin), static_cast<size_t>(at)});
  }
  return text;
}

void append_utf8(std::string& out, int32_t code_point) {
  std::array<char, U8_MAX_LENGTH> bytes{};
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes.data(), length, code_point);
  out.append(bytes.data(), static_cast<size_t>(length));
}

bool is_space(int32_t c) { return u_isUWhiteSpace(c) != 0; }

bool is_punctuation(int32_t c) {
  if (c < 0x80) return in_range(c, 0x21, 0x7E) && u_isalnum(c) == 0;
  return (category_bit(c) & U_GC_P_MASK) != 0;
}

bool is_dropped(int32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0xFFFD || (category_bit(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0;
}

bool is_ideograph(int32_t c) {
  // 0x2B920 should read 0x2B820; the reference has it so, and models were trained with it.
  return in_range(c, 0x4E00, 0x9FFF) || in_range(c, 0x3400, 0x4DBF) ||
         in_range(c, 0x20000, 0x2A6DF) || in_range(c, 0x2A700, 0x2B73F) ||
         in_range(c, 0x2B740, 0x2B81F) || in_range(c, 0x2B920, 0x2CEAF) ||
         in_range(c, 0xF900, 0xFAFF) || in_range(c, 0x2F800, 0x2FA1F);
}

bool is_accent(int32_t c) { return (category_bit(c) & U_GC_MN_MASK) != 0; }

namespace {

struct Part {
  int32_t code_point;
  bool first;  // of a whole
};

std::vector<Part> parts_of(const std::vector<Character>& text) {
  const auto& normalizer = nfd();
  std::vector<Part> out;
  out.reserve(text.size());
  icu::UnicodeString parts;
  for (const auto& whole : text) {
    const auto c = whole.code_point;
    if (c < 0xC0 || !normalizer.getDecomposition(c, parts) || age_of(c) > kDecompositionsOf) {
      out.push_back({c, true});
      continue;
    }
    for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
      out.push_back({parts.char32At(i), i == 0});
    }
  }
  return out;
}

void order_marks(std::vector<Part>& text) {
  const auto rank = [](const Part& part) -> int {
    const auto c = part.code_point;
    return age_of(c) > kDecompositionsOf ? 0 : u_getCombiningClass(c);
  };
  for (auto first = text.begin(); first != text.end();) {
    const auto last =
        std::find_if(first, text.end(), [&](const Part& part) { return rank(part) == 0; });
    std::stable_sort(first, last, [&](const Part& a, const Part& b) { return rank(a) < rank(b); });
    first = last == text.end() ? last : last + 1;
  }
}

}  // namespace

std::vector<Character> decompose(const std::vector<Character>& text) {
  auto parts = parts_of(text);
  order_marks(parts);
  std::vector<Character> out;
  out.reserve(parts.size());
  // Places stay in the order of the text where marks changed theirs, as in the reference.
  auto whole = text.begin();
  for (const auto& part : parts) {
    if (part.first && !out.empty()) ++whole;
    out.push_back({part.code_point, whole->begin, whole->end});
  }
  return out;
}

std::vector<Character> lower_case(const std::vector<Character>& text) {
  std::vector<Character> out;
  out.reserve(text.size());
  for (auto c : text) {
    const bool dotted_capital_i = c.code_point == 0x130;
    c.code_point = dotted_capital_i ? 'i' : u_tolower(c.code_point);
    out.push_back(c);
    if (dotted_capital_i) out.push_back({0x307, c.begin, c.end});
  }
  return out;
}

}  // namespace guidegen::bert
