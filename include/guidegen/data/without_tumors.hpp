#pragma once

#include <string_view>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// What the id of the same patient without tumors ends in.
inline constexpr std::string_view kWithoutTumors = "-without-tumors";

/// The mask of the same patient without a lesion: every tumor voxel of `mask` [1,D,H,W] (RAS) takes
/// a label of the organ that hosts its tumor (data/tumor_census.hpp), growing in from the tumor's
/// border; where the host is not known or does not touch the tumor, the labels around it but
/// background.
Volume without_tumors(const Volume& mask, const Vocabulary& vocabulary);

}  // namespace guidegen
