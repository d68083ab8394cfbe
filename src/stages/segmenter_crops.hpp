#pragma once

#include "guidegen/core/random_stream.hpp"
#include "guidegen/data/training_case.hpp"
#include "guidegen/stages/segmenter.hpp"

namespace guidegen {

/// The same part of CT and mask.
struct LabeledCrop {
  at::Tensor hu;      ///< [1,c,c,c] float32
  at::Tensor labels;  ///< [c,c,c] int64
};

/// A crop of config.crop voxels along each axis, somewhere in the case or, as the configuration
/// says, around a voxel of a label that is drawn evenly among those of the case. Where the case is
/// smaller it is padded with air at its upper ends.
LabeledCrop draw_crop(const TrainingCase& item, const SegmenterConfig& config, int64_t tumor,
                      RandomStream& stream);

/// hu [1,c,c,c] float32, changed within the ranges of `how`.
at::Tensor augmented(const at::Tensor& hu, const CtAugmentation& how, RandomStream& stream);

}  // namespace guidegen
