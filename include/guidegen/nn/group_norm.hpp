#pragma once

#include <ATen/core/Tensor.h>

namespace guidegen {

/// silu(GN(x) * (1 + scale) + shift) in one operator: group normalisation (Wu & He, ECCV 2018) with
/// an optional modulation (AdaGN; Dhariwal & Nichol, NeurIPS 2021) and SiLU.
/// x [B,C,...] float32, bfloat16 or float16, in any memory format; the result has its shape, type
/// and format, for channels-last and contiguous x without copies. weight, bias [C]. scale and shift
/// [B,C], both or neither. Statistics and arithmetic are float32 whatever the type of x.
/// Differentiable once in every tensor; keeps x and 2 numbers a group for that, nothing of x's
/// size. On the CPU the results are the same bits for any number of threads; on a GPU for any run.
/// Wrong shapes or types throw Error(kFailure).
///
/// Behind it are the dispatcher's operators guidegen::group_norm_silu and
/// guidegen::group_norm_silu_backward with kernels for CPU and Meta; those for CUDA come with
/// libguidegen_cuda.so.
at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias, const at::Tensor& scale = {},
                           const at::Tensor& shift = {}, double eps = 1e-5);

}  // namespace guidegen
