#pragma once

#include <ATen/ATen.h>

namespace guidegen {

/// One label a voxel from the probabilities of each, so that every label takes up as many voxels as
/// are expected of it. Taking each voxel's most likely label by itself would thin out whatever is
/// in doubt: of a vessel whose course is certain to one voxel only, no voxel is more likely vessel
/// than not. Here label c is given the voxels where log p_c + b_c is largest, with offsets b found
/// by iteration so that counts match sum_v p_c(v), as far as offsets of at most two nats can.
/// `log_probabilities`: float32 [K,N], normalized over K. Returns int64 [N].
at::Tensor likely_labels(const at::Tensor& log_probabilities);

}  // namespace guidegen
