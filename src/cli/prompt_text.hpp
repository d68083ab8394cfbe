#pragma once

#include <string>

#include "guidegen/prompt/free_text.hpp"

namespace guidegen {

/// `guidegen prompt "free text"`: prints what was understood of the text, and what was not used.
void run_prompt_text(const std::string& text, const std::string& language,
                     const TermMatcher& matcher, bool json);

}  // namespace guidegen
