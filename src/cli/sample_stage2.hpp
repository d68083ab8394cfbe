#pragma once

namespace CLI {
class App;
}

namespace guidegen {

/// Adds `stage2` to the command `sample`.
void add_sample_stage2(CLI::App& sample);

}  // namespace guidegen
