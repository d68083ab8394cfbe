#pragma once

#include <torch/nn/module.h>

namespace guidegen {

/// A copy of a CPU tensor on `device` for which nothing waits: on its way to a GPU it passes
/// through page-locked memory, from which the GPU fetches it in turn.
at::Tensor queue_to(const at::Tensor& tensor, const at::Device& device);

/// Stores the weights of 3-D convolutions with channels last, the order that convolutions on GPUs
/// prefer; on processors each convolution packs for itself.
void order_channels_last(torch::nn::Module& module);

}  // namespace guidegen
