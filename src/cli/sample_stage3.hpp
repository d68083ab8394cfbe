#pragma once

namespace CLI {
class App;
}

namespace guidegen {

/// Adds `stage3` to `sample`: masks of anybody -> CTs.
void add_sample_stage3(CLI::App& parent);

}  // namespace guidegen
