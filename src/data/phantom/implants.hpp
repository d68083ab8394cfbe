#pragma once

#include <vector>

#include "data/phantom/painter.hpp"

namespace guidegen::phantom {

/// Metal of one patient, drawn at random: a prosthesis of one hip, of both, or rods and screws in
/// two to four lumbar vertebrae. Put into `hu` (one value per voxel), shared with what is there
/// where it fills a part of a voxel; labels stay those of the bone around it. Streaks, which a
/// scanner would make of it, are not drawn.
void add_implants(const Painter& painter, std::vector<float>& hu, RandomStream& stream);

}  // namespace guidegen::phantom
