#pragma once

#include <ATen/ATen.h>

#include "guidegen/data/training_case.hpp"

namespace guidegen {

/// The images of a batch, each in one contiguous tensor on the CPU.
struct Collated {
  at::Tensor mask;  ///< uint8 or uint16 [B,D,H,W]
  at::Tensor ct;    ///< int16 HU [B,1,D,H,W]; undefined when the cases have none
};

/// Copies the images of a batch, once, into new tensors; with `pin` these lie in page-locked memory
/// (which needs CUDA), so that `.to(device, /*non_blocking=*/true)` returns at once. Throws
/// Error(kFailure) when the batch is empty, or two cases, which it names, differ in size, type, or
/// in having a CT.
Collated collate(const TrainingBatch& batch, bool pin);

}  // namespace guidegen
