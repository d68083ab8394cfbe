#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "guidegen/prompt/free_text.hpp"
#include "prompt/language/meaning.hpp"
#include "prompt/language/tokens.hpp"

namespace guidegen::language {

/// What phrases are looked up in: tokens, of which some were joined into numbers and sizes.
struct Atom {
  Token token;                 ///< bytes of all that was joined; text of the first
  Kind kind = Kind::kUnknown;  ///< kMark, kNumber, kSize, kStage; else kUnknown
  double number = 0;           ///< of kNumber; millimeters of kSize
  std::string stage;           ///< of kStage, as prompts write it
};

struct Match {
  const Meaning* meaning = nullptr;
  size_t end = 0;     ///< one past the last atom
  double number = 0;  ///< of the last {n} or {size} in the phrase
};

/// All phrases of a language. A phrase is words and marks; `{n}` stands for a number,
/// `{digits}` for one in digits, `{size}` for a length, `{stage}` for a stage; `{n}m` needs no
/// white space between them. Hyphens and apostrophes do not matter. A phrase that opens with "="
/// counts only where it stands alone between marks.
class Lexicon {
 public:
  /// Throws Error(kUsage), opening with `source`, when the phrase is empty or stands elsewhere.
  void add(const std::string& phrase, const Meaning& meaning, const std::string& source);
  /// Words that are no misspelling of any other.
  void add_known_word(const std::string& word);
  /// One that may be a part of a compound word, too.
  void add_number_word(const std::string& word);
  void add_correction(const std::string& wrong, const std::string& right);

  /// The longest phrase that starts at `at`. `opens`: phrases marked "=" may start there though no
  /// punctuation mark stands before.
  std::optional<Match> longest(const std::vector<Atom>& atoms, size_t at, bool opens = false) const;

  bool knows_word(const std::string& folded) const { return words_.count(folded) != 0; }
  /// The word of the lexicon that is meant; the word itself when there is no doubt or no guess.
  std::string corrected(const std::string& folded) const;
  /// The parts of a compound word, all of them known; empty when there are none.
  std::vector<std::string> parts_of_compound(const std::string& folded) const;
  /// Phrases for matching by similarity: those of places, tumors and findings that are none, and
  /// words known to mean nothing of these.
  const TermCandidates& candidates() const { return candidates_; }
  /// Null where similarity to the candidate decides nothing: its number in `meanings` is 0.
  const Meaning* meaning_of_candidate(size_t index) const;

 private:
  struct Node {
    std::map<std::string, size_t> next;
    int meaning = -1;
    int alone = -1;  // where the phrase must stand alone
  };
  struct Search;
  /// Of short words only swapped and doubled letters: "tial", "masss".
  std::string slip_corrected(const std::string& folded) const;
  size_t child(size_t node, const std::string& edge);
  void walk(Search& search, size_t node, size_t at, double number) const;
  void skip(Search& search, size_t node, size_t at, double number) const;
  void add_candidate(const std::string& term, size_t meaning);

  std::vector<Node> nodes_{1};
  std::vector<Meaning> meanings_;
  std::set<std::string> phrase_words_;
  std::set<std::string> words_;
  std::map<std::string, std::string> corrections_;
  TermCandidates candidates_;  // a number is 1 + the place in meanings_ of the first of its meaning
  std::vector<size_t> candidate_meanings_;  // places in meanings_, where the number is not 0
};

}  // namespace guidegen::language
