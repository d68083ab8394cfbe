#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "guidegen/core/random_stream.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// A prompt as one might put it, for training text encoders.
struct CorpusText {
  std::string text;
  Prompt prompt;  ///< what the text says; fields that it does not mention are open
};

/// Endless, reproducible texts: prompts drawn at random (as phantoms are: 0 to 3 groups of tumors,
/// each field open with some probability), put in words by describe() and roughened: other words,
/// order, case, misspellings, words around it. The words are configs/text/wording.json.
class TextCorpus {
 public:
  explicit TextCorpus(uint64_t seed);
  /// Text `index` of a `part` ("train", "test"): a function of (seed, part, index) alone.
  CorpusText text(std::string_view part, int64_t index) const;

 private:
  std::string reword(const std::string& text, RandomStream& stream) const;

  uint64_t seed_;
  std::vector<std::string> openings_, closings_;
  std::map<std::string, std::vector<std::string>> swaps_;
};

/// A prompt without id and text whose fields are each open with some probability.
Prompt random_prompt(RandomStream& stream);

}  // namespace guidegen
