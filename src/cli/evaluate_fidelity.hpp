#pragma once

#include <CLI/CLI.hpp>

namespace guidegen {

/// `guidegen evaluate fidelity`.
void add_fidelity_command(CLI::App& evaluate);

}  // namespace guidegen
