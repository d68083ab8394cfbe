#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// A term that words were taken for, as a text encoder finds them alike.
struct Similarity {
  std::string term;   ///< of the lexicon
  double cosine = 0;  ///< of the embeddings of words and term

  bool operator==(const Similarity&) const = default;
};

/// One field that a text gave, and the words that gave it.
struct Finding {
  std::string field;  ///< as the prompt's JSON names it: "sex", "tumors[0].organ"
  std::string value;  ///< "male", "62", "right", "30"
  size_t begin = 0;   ///< bytes of the text, end exclusive
  size_t end = 0;
  std::string words;  ///< text.substr(begin, end - begin)
  /// Of a word among them that the lexicon lacks; nothing where it has them all.
  std::optional<Similarity> similarity = {};

  bool operator==(const Finding&) const = default;
};

/// Words that are about tumors or the patient and that no field was taken from.
struct Unused {
  size_t begin = 0;  ///< bytes of the text, end exclusive
  size_t end = 0;
  std::string words;
  /// "negated", "past", "family history", "to be ruled out", "not a tumor", "organ outside of
  /// prompts", "no organ", "no position of prompts", "out of range", "said otherwise",
  /// "belongs to no tumor", "unknown words".
  std::string reason;

  bool operator==(const Unused&) const = default;
};

/// What a free text asks for.
struct Understanding {
  Prompt prompt;  ///< the fields found alone; no id, no text
  std::vector<Finding> findings;
  std::vector<Unused> unused;
  std::string language;  ///< "en"
};

/// {"prompt": …, "findings": […], "unused": […], "language": "en"}.
Json to_json(const Understanding& understanding);

/// Terms that words may be like.
struct TermCandidates {
  std::vector<std::string> terms;
  /// Of each term: those with one number mean the same. 0: words that are like this term say
  /// nothing of organs or tumors ("several"), or nothing that similarity may decide ("cyst").
  std::vector<size_t> meanings;
};

/// The candidate that means what `words` say, as (index, cosine); nothing when there is none.
/// text/term_matcher.hpp makes one of a text encoder. Asked for words that the lexicon lacks.
using TermMatcher = std::function<std::optional<std::pair<size_t, double>>(
    const std::string& words, const TermCandidates& candidates)>;

/// Reads free text by the lexicons and rules of language files (docs/free-text.md). Reading changes
/// nothing in it, so one reader serves any number of threads.
class TextReader {
 public:
  /// The languages of configs/language, which are compiled in.
  static const TextReader& shipped();
  /// All *.json files of a folder. Throws Error(kUsage) naming file and key, or Error(kFailure)
  /// when a file can't be read.
  static TextReader load(const std::filesystem::path& folder);

  TextReader(TextReader&&) noexcept;
  TextReader& operator=(TextReader&&) noexcept;
  ~TextReader();

  /// Codes of the languages, sorted.
  std::vector<std::string> languages() const;

  /// Any bytes are fine. `language` is a code or "auto": the language that knows most of the words.
  /// The matcher is asked only of texts in which no tumors, and no absence of them, were
  /// understood, and counts only where it makes a request for tumors of them. Throws Error(kUsage)
  /// when there is no such language.
  Understanding read(std::string_view text, std::string_view language = "auto",
                     const TermMatcher& matcher = {}) const;

 private:
  struct Languages;
  explicit TextReader(std::unique_ptr<Languages> languages);
  std::unique_ptr<Languages> languages_;
};

/// A prompt with what its text says filled in.
struct Resolved {
  Prompt prompt;
  /// "age: the text says 64, the field 70"; the field won.
  std::vector<std::string> contradictions;
  Understanding understanding;
};

/// Explicit fields win over the text, field by field; tumors are one field. A prompt without text
/// comes back as it is.
Resolved resolve_text(const Prompt& prompt, const TextReader& reader = TextReader::shipped(),
                      std::string_view language = "auto", const TermMatcher& matcher = {});

/// Of prompts by their ids, as Resolved has them.
using Contradictions = std::map<std::string, std::vector<std::string>>;

/// resolve_text on every prompt; contradictions, and texts of which nothing was understood, are
/// logged as warnings that open with `source` and the id of the prompt, words that the matcher took
/// for terms as information. A text that a field contradicts gives way to the description of the
/// resolved prompt, so that networks read what is asked for. `contradictions` receives those of
/// every prompt that has some, by its id.
std::vector<Prompt> resolve_texts(const std::vector<Prompt>& prompts, const std::string& source,
                                  const TextReader& reader = TextReader::shipped(),
                                  const TermMatcher& matcher = {},
                                  Contradictions* contradictions = nullptr);

/// read_prompts, then resolve_texts with the shipped reader: what commands that generate read.
std::vector<Prompt> read_resolved(const std::filesystem::path& path,
                                  const TermMatcher& matcher = {},
                                  Contradictions* contradictions = nullptr);

}  // namespace guidegen
