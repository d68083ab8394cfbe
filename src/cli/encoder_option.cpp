#include "cli/encoder_option.hpp"

#include "guidegen/text/term_matcher.hpp"

namespace guidegen {

void add_encoder_option(CLI::App& command, std::string& folder) {
  command.add_option("--encoder", folder,
                     "Text encoder (Hugging Face folder) that guesses words of free text which no "
                     "lexicon has (default: none)");
}

TermMatcher matcher_of(const std::string& folder) {
  return folder.empty() ? TermMatcher() : bert_term_matcher(folder);
}

}  // namespace guidegen
