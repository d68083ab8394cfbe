#pragma once

#include "guidegen/core/random_stream.hpp"
#include "guidegen/data/training_case.hpp"
#include "stages/tile_box.hpp"

namespace guidegen {

/// Where a training crop of `extent` voxels lies in a case of `size` voxels, first voxels at
/// multiples of `step`: anywhere or, of the share `around_tumors` of the crops of a case that has
/// tumors, so that it holds the middle of one of them.
Box place_crop(const TrainingCase& item, const Extent& size, const Extent& extent, int64_t step,
               double around_tumors, RandomStream& stream);

}  // namespace guidegen
