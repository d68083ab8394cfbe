#pragma once

#include <optional>
#include <string>
#include <vector>

#include "prompt/language/mentions.hpp"

namespace guidegen::language {

/// A group of tumors that the text asks for, with the words that said so.
struct Group {
  TumorOrgan organ = TumorOrgan::kLung;
  Span organ_span;
  std::optional<Said<TumorPosition>> position;
  std::optional<Said<int>> count;
  std::optional<Said<double>> size_mm;
  std::optional<Said<std::string>> stage;
  /// Singular words: one, unless a number is said; and words that leave the number open.
  std::optional<Span> one;
  bool open = false;
  bool several = false;  ///< "multiple": more than one
  bool disease = false;  ///< named as a cancer: its stage is meant before that of metastases
};

struct Rejected {
  Span span;
  std::string reason;  ///< as Unused has it
};

struct Groups {
  std::vector<Group> groups;
  std::vector<Rejected> rejected;
  /// The text denies tumors, so that no groups means that none are wanted.
  bool denied = false;
};

/// Sorts out which mentions are about the same tumors and what is said of them.
Groups groups_of(const std::vector<Mention>& mentions);

}  // namespace guidegen::language
