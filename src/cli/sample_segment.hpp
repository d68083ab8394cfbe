#pragma once

#include <CLI/App.hpp>

namespace guidegen {

/// `guidegen sample segment`.
void add_sample_segment(CLI::App& sample);

}  // namespace guidegen
