#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <map>
#include <string>

namespace guidegen {

/// Parameters and buffers by their dotted names; tensors are shared with the module, not copied.
std::map<std::string, at::Tensor> state_of(const torch::nn::Module& module);

/// Copies `state` into the module's parameters and buffers (converting dtype). A missing,
/// unexpected or wrongly shaped tensor throws Error(kFailure) naming `source` and the tensor.
void load_state(torch::nn::Module& module, const std::map<std::string, at::Tensor>& state,
                const std::string& source);

/// state_of as a safetensors file, floating tensors as `dtype` (fp16 for shipped models).
void save_module(const std::filesystem::path& path, const torch::nn::Module& module,
                 at::ScalarType dtype = at::kFloat);
void load_module(const std::filesystem::path& path, torch::nn::Module& module);

}  // namespace guidegen
