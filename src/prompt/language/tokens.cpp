#include "prompt/language/tokens.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <cstdlib>

#include "guidegen/core/error.hpp"

namespace guidegen::language {
namespace {

/// One folded character and the bytes of the original that it came from.
struct Character {
  UChar32 code = ' ';
  size_t begin = 0;
  size_t end = 0;
};

/// Marks that are written in several ways become one.
UChar32 plain_mark(UChar32 code) {
  switch (code) {
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
    case '_':  // "left_kidney"
      return '-';
    case 0x2018:
    case 0x2019:
    case 0x02BC:
    case 0x2032:
    case 0x60:
      return '\'';
    case 0x201C:
    case 0x201D:
    case 0x201E:
    case 0x2033:
    case 0xAB:
    case 0xBB:
      return '"';
    case 0x3002:
      return ';';  // the Chinese full stop, which no abbreviation ends with
    case 0x3001:
      return ',';
    case 0x2044:
      return '/';
    case 0x2022:
    case 0xB7:
    case '*':
      return '\n';  // bullets
    default:
      return code;
  }
}

const icu::Normalizer2& decomposition() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKDInstance(status);
  if (U_FAILURE(status) != 0) throw_failure("ICU has no NFKD data: ", u_errorName(status));
  return *normalizer;
}

void append_folded(UChar32 code, size_t begin, size_t end, std::vector<Character>& out) {
  if (code < 0x80) {
    out.push_back({plain_mark(u_tolower(code)), begin, end});
    return;
  }
  static const icu::Normalizer2& normalizer = decomposition();
  icu::UnicodeString parts;
  if (!normalizer.getDecomposition(code, parts)) parts = icu::UnicodeString(code);
  parts.foldCase();
  for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
    const UChar32 part = parts.char32At(i);
    if (u_charType(part) == U_NON_SPACING_MARK) {
      // An accent that follows its letter as a character of its own belongs to that letter.
      if (!out.empty() && out.back().end == begin) out.back().end = end;
      continue;
    }
    out.push_back({plain_mark(part), begin, end});
  }
}

std::vector<Character> fold(std::string_view utf8) {
  std::vector<Character> characters;
  characters.reserve(utf8.size());
  const auto length = static_cast<int32_t>(utf8.size());
  for (int32_t i = 0; i < length;) {
    const int32_t start = i;
    UChar32 code = 0;
    U8_NEXT(utf8.data(), i, length, code);
    append_folded(code < 0 ? ' ' : code, static_cast<size_t>(start), static_cast<size_t>(i),
                  characters);
  }
  return characters;
}

bool is_han(UChar32 code) {
  UErrorCode status = U_ZERO_ERROR;
  return code >= 0x2E80 && uscript_getScript(code, &status) == USCRIPT_HAN;
}

class Scanner {
 public:
  explicit Scanner(std::string_view utf8) : characters_(fold(utf8)) {}

  std::vector<Token> run() {
    bool glued = false;
    while (at_ < characters_.size()) {
      const UChar32 code = characters_[at_].code;
      if (code == '\n') {
        line_break();
        glued = false;
      } else if (u_isUWhiteSpace(code) || u_iscntrl(code)) {
        ++at_;
        glued = false;
      } else {
        take(code, glued);
        glued = true;
      }
    }
    return std::move(tokens_);
  }

 private:
  UChar32 code_at(size_t index) const {
    return index < characters_.size() ? characters_[index].code : 0;
  }
  bool digit_at(size_t index) const { return code_at(index) >= '0' && code_at(index) <= '9'; }
  bool letter_at(size_t index) const {
    return u_isalpha(code_at(index)) && !is_han(code_at(index));
  }

  void take(UChar32 code, bool glued) {
    const bool fraction = (code == '.') && !glued && digit_at(at_ + 1);
    if (digit_at(at_) || fraction) {
      number(glued);
    } else if (letter_at(at_)) {
      push(Token::Type::kWord, glued, [this] { return letter_at(at_); });
    } else {
      const size_t first = at_;
      push(is_han(code) ? Token::Type::kWord : Token::Type::kMark, glued,
           [this, first] { return at_ == first; });
    }
  }

  /// A text may be wrapped anywhere: a break counts where an item of a list ends.
  void line_break() {
    const Character here = characters_[at_];
    size_t breaks = 0;
    for (; at_ < characters_.size() && u_isUWhiteSpace(code_at(at_)); ++at_) {
      breaks += code_at(at_) == '\n' ? 1 : 0;
    }
    tokens_.push_back(
        {Token::Type::kMark, breaks > 1 ? "\n\n" : "\n", 0, here.begin, here.end, false, {}});
  }

  template <typename More>
  void push(Token::Type type, bool glued, More&& more) {
    Token token{type, "", 0, characters_[at_].begin, 0, glued, {}};
    for (; at_ < characters_.size() && more(); ++at_) {
      icu::UnicodeString(characters_[at_].code).toUTF8String(token.text);
      token.origins.resize(token.text.size(), characters_[at_].begin);
      token.end = characters_[at_].end;
    }
    tokens_.push_back(std::move(token));
  }

  /// "62", "1.5", "1,5"; a comma before exactly three digits groups thousands.
  void number(bool glued) {
    Token token{Token::Type::kNumber, "", 0, characters_[at_].begin, 0, glued, {}};
    const auto digits = [&] {
      const size_t first = at_;
      for (; digit_at(at_); ++at_) token.text += static_cast<char>(code_at(at_));
      return at_ - first;
    };
    // ",1,42mm": the comma of a table, no decimal one.
    const bool table = at_ > 0 && code_at(at_ - 1) == ',';
    digits();
    // The comma of Chinese text ("S5，12mm"), folded to this one, takes three bytes.
    const bool wide = at_ < characters_.size() && characters_[at_].end > characters_[at_].begin + 1;
    const UChar32 mark = wide ? ' ' : code_at(at_);
    if ((mark == '.' || (mark == ',' && !table)) && digit_at(at_ + 1)) {
      const bool thousands =
          mark == ',' && digit_at(at_ + 2) && digit_at(at_ + 3) && !digit_at(at_ + 4);
      if (!thousands) token.text += '.';
      ++at_;
      digits();
    }
    // Longer ones are no measure of anything here; the cut keeps strtod from overflowing.
    token.number = std::strtod(token.text.substr(0, 20).c_str(), nullptr);
    token.end = characters_[at_ - 1].end;
    tokens_.push_back(std::move(token));
  }

  std::vector<Character> characters_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view utf8) { return Scanner(utf8).run(); }

std::string valid_utf8(std::string_view bytes) {
  std::string valid;
  icu::UnicodeString::fromUTF8(icu::StringPiece(bytes.data(), static_cast<int32_t>(bytes.size())))
      .toUTF8String(valid);
  return valid;
}

}  // namespace guidegen::language
