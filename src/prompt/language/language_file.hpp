#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "prompt/language/lexicon.hpp"

namespace guidegen::language {

/// One language, read from its file (docs/free-text.md explains the file).
struct Language {
  std::string code;  ///< "en"
  std::string name;  ///< "English"
  Lexicon lexicon;
  /// Words that tell the language; they and `common_words` are never taken for misspellings.
  std::vector<std::string> detect;
  std::map<std::string, double> number_words;
  std::map<std::string, double> multipliers;  ///< "hundred": 100
  std::vector<std::string> number_joiners;    ///< "y" of "sesenta y dos"
  std::map<std::string, double> units;        ///< millimeters
  std::vector<std::string> by;                ///< between the sides of a size: "x", "by"
  std::vector<std::string> between;           ///< "between" of "between 2 and 3 cm"
  std::vector<std::string> numbered;          ///< "segment", whose number is no size
  std::vector<std::string> from;              ///< "from 8 to 14 mm": is 14 now
  std::vector<std::string> to;                ///< between the ends of a range: "-", "to"
  std::vector<std::string> and_words;         ///< of lists
  std::vector<std::string> stage_before;      ///< "stage" of "stage IIIA"
  std::vector<std::string> stage_after;       ///< as in Chinese
  std::vector<std::string> abbreviations;     ///< words whose full stop ends no sentence
  std::map<std::string, std::string> misspellings;
  bool compounds = false;  ///< words may be written as one: "Nierentumor"
  /// Cosine from which on words count as a term; a text encoder knows few languages, so a file says
  /// it only where it was measured.
  double matcher_threshold = 1;
};

/// Strict; `source` opens the messages, which name the key. Throws Error(kUsage).
Language parse_language(std::string_view json, const std::string& source);

}  // namespace guidegen::language
