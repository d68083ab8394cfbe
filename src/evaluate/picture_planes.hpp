#pragma once

#include <array>
#include <cstdint>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// PreviewOptions::planes through the middle of the largest tumor where there is one; else, and
/// without a mask, -1. render_preview would find it too, but only where it is given the mask, which
/// it then draws.
std::array<int64_t, 3> planes_of(const Volume* mask, const Vocabulary& vocabulary);

}  // namespace guidegen
