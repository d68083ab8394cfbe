#pragma once

#include <string>
#include <vector>

#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// What is unreasonable about asking for `prompt` on `grid` from a model that was trained on grids
/// like `trained`: one sentence each, saying why. Nothing of it is forbidden.
/// - a field of view that cannot hold the organ of a tumor, or that exceeds any patient;
/// - tumors smaller than two voxels;
/// - voxels much finer or coarser than those of training.
std::vector<std::string> doubts_about(const Prompt& prompt, const ImageGeometry& grid,
                                      const ImageGeometry& trained);

}  // namespace guidegen
