#pragma once

#include <ATen/ATen.h>

#include "guidegen/data/training_case.hpp"

namespace guidegen {

/// The masks of a batch in one new tensor on the CPU, uint8 or uint16 [B,D,H,W]. Throws
/// Error(kFailure) when the batch is empty, or two cases, which it names, differ in size or type.
at::Tensor stack_masks(const TrainingBatch& batch);

}  // namespace guidegen
