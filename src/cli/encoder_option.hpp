#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "guidegen/prompt/free_text.hpp"

namespace guidegen {

/// --encoder FOLDER, for commands that read free text.
void add_encoder_option(CLI::App& command, std::string& folder);

/// Of the text encoder in the folder; none where --encoder was not given.
TermMatcher matcher_of(const std::string& folder);

}  // namespace guidegen
