#pragma once

#include <vector>

#include "data/phantom/painter.hpp"
#include "data/phantom/tumors.hpp"

namespace guidegen::phantom {

/// Hounsfield units of the painted anatomy, one float per voxel: tissues by contrast phase, age and
/// fat, textures, vessels of lung and liver, partial volume, table, correlated noise, and -1024
/// outside the scanner's circular field of view; metal in the share `implants` of the patients.
/// Values lie in -1024…3071.
std::vector<float> render_ct(const Painter& painter, const std::vector<PlacedTumor>& tumors,
                             double implants, uint64_t seed, const std::string& case_id);

}  // namespace guidegen::phantom
