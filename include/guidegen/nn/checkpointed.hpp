#pragma once

#include <ATen/ATen.h>

#include <functional>

namespace guidegen {

/// Activation checkpointing (Chen et al., "Training deep nets with sublinear memory cost", 2016):
/// body(x, condition), keeping its two inputs alone; the backward pass runs `body` again. What
/// `body` refers to must outlive that pass. Autocast and random numbers (dropout) are as they were
/// in the forward pass. `condition` may be undefined. Without gradients it is just the call.
at::Tensor checkpointed(
    std::function<at::Tensor(const at::Tensor& x, const at::Tensor& condition)> body,
    const at::Tensor& x, const at::Tensor& condition);

}  // namespace guidegen
