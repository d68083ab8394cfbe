#pragma once

namespace CLI {
class App;
}

namespace guidegen {

/// Adds `refine` to the command `sample`.
void add_sample_refine(CLI::App& sample);

}  // namespace guidegen
