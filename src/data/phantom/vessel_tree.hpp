#pragma once

#include <vector>

#include "data/phantom/painter.hpp"

namespace guidegen::phantom {

/// Branching pulmonary vessels and dark bronchi from the hila out, blended into the lungs of `hu`
/// by the share of each voxel that they fill.
void add_lung_vessels(const Painter& painter, std::vector<float>& hu, RandomStream stream);
/// Hepatic veins and portal branches, bright after contrast and slightly dark before.
void add_liver_vessels(const Painter& painter, std::vector<float>& hu, RandomStream stream);

}  // namespace guidegen::phantom
