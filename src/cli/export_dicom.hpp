#pragma once

namespace CLI {
class App;
}

namespace guidegen {

/// Adds `dicom` to the command `export`.
void add_export_dicom(CLI::App& command);

}  // namespace guidegen
