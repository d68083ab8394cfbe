#pragma once

#include <CLI/App.hpp>

namespace guidegen {

/// `guidegen evaluate image-mask`.
void add_image_mask_command(CLI::App& evaluate);

}  // namespace guidegen
