#pragma once

#include "nn/group_norm_layout.hpp"

namespace guidegen::group_norm {

/// The operators' CPU kernels; operands as group_norm_silu() documents and checks them.
Normalized forward_cpu(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                       const at::Tensor& bias, const std::optional<at::Tensor>& scale,
                       const std::optional<at::Tensor>& shift, double eps);
Gradients backward_cpu(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& mean,
                       const at::Tensor& rstd, int64_t groups, const at::Tensor& weight,
                       const at::Tensor& bias, const std::optional<at::Tensor>& scale,
                       const std::optional<at::Tensor>& shift);

}  // namespace guidegen::group_norm
