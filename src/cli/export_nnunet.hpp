#pragma once

namespace CLI {
class App;
}

namespace guidegen {

/// Adds `nnunet` to the command `export`.
void add_export_nnunet(CLI::App& command);

}  // namespace guidegen
