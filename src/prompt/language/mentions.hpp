#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "prompt/language/sites.hpp"

namespace guidegen::language {

/// Bytes of the original text, end exclusive.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

template <typename T>
struct Said {
  T value{};
  Span span;
};

/// One place in the text that speaks of tumors (or of findings that are none), with all that is
/// said of it there. Several mentions may be about the same tumor; groups.hpp sorts that out.
struct Mention {
  Span span;              ///< of the tumor word
  bool has_head = false;  ///< false: only says more of another ("Size: 3 cm.")
  Grammar grammar = Grammar::kDisease;
  std::vector<Said<Place>> places;
  std::optional<Said<int>> count;
  bool several = false;  ///< "multiple": a number, but an open one
  bool each = false;     ///< the count holds at each place
  bool from_article = false;
  std::vector<Said<double>> sizes;
  /// "left 2 cm, right 3 cm": sizes by side.
  std::vector<std::pair<Side, Said<double>>> sided_sizes;
  bool largest = false;  ///< the size is that of the largest
  std::optional<Said<std::string>> stage;
  bool definite = false;     ///< "the mass"
  bool another = false;      ///< "a second nodule"
  bool one_of_them = false;  ///< "one in the liver", of tumors mentioned before
  bool label = false;        ///< "Stage: T1.": said ahead of the tumor
  bool absent = false;       ///< "lung: 0"
  bool benign = false;
  bool no_lesion = false;  ///< a stone, an abscess: says nothing of tumors
  bool negated = false;
  bool past = false;
  bool family = false;
  bool sought = false;
  size_t sentence = 0;

  bool wanted() const { return !benign && !negated && !past && !family && !sought; }
};

/// In the order of the text.
std::vector<Mention> mentions_of(const std::vector<Item>& items);

}  // namespace guidegen::language
