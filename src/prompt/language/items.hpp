#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guidegen/prompt/free_text.hpp"
#include "prompt/language/language_file.hpp"

namespace guidegen::language {

/// A phrase of the text and what it is to the reader.
struct Item {
  Kind kind = Kind::kUnknown;
  const Meaning* meaning = nullptr;  ///< null for marks, numbers, measures and unknown words
  double number = 0;                 ///< of kNumber, kSize, kAge, kCount
  std::string stage;                 ///< of kStage
  std::string text;                  ///< first word, folded
  std::string last_word;             ///< folded
  size_t begin = 0;                  ///< bytes of the original text, end exclusive
  size_t end = 0;
  std::optional<Similarity> similarity;  ///< to the term that gave the meaning
  bool glued = false;                    ///< no white space before it
  size_t sentence = 0;                   ///< counts from 0
  // In whose scope it stands; see scopes.hpp.
  bool negated = false;
  bool past = false;
  bool family = false;
  bool sought = false;

  bool is_mark(const char* mark) const { return kind == Kind::kMark && text == mark; }
};

/// The whole text as items in order, cut into sentences; no scopes yet.
std::vector<Item> items_of(std::string_view utf8, const Language& language,
                           const TermMatcher& matcher);

}  // namespace guidegen::language
