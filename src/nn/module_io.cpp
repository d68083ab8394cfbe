#include "guidegen/nn/module_io.hpp"

#include <ATen/core/grad_mode.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {
namespace {

using State = std::map<std::string, at::Tensor>;

void check_state(const State& expected, const State& state, const std::string& source) {
  for (const auto& [name, tensor] : expected) {
    const auto found = state.find(name);
    if (found == state.end()) {
      throw_failure(source, ": tensor '", name, "' is missing, expected ", tensor.sizes());
    }
    if (found->second.sizes() != tensor.sizes()) {
      throw_failure(source, ": tensor '", name, "' is ", found->second.sizes(), ", expected ",
                    tensor.sizes());
    }
    if (found->second.is_floating_point() != tensor.is_floating_point()) {
      throw_failure(source, ": tensor '", name, "' is ", found->second.scalar_type(), ", expected ",
                    tensor.scalar_type());
    }
  }
  for (const auto& [name, tensor] : state) {
    if (!expected.contains(name)) {
      throw_failure(source, ": tensor '", name, "' ", tensor.sizes(),
                    " is not part of the model that is being loaded");
    }
  }
}

}  // namespace

State state_of(const torch::nn::Module& module) {
  State state;
  for (const auto& item : module.named_parameters()) state.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) {
    if (item.value().defined()) state.emplace(item.key(), item.value());
  }
  return state;
}

void load_state(torch::nn::Module& module, const State& state, const std::string& source) {
  State own = state_of(module);
  // All checks come first: a module is loaded whole or left as it was.
  check_state(own, state, source);
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : own) tensor.copy_(state.at(name));
}

void save_module(const std::filesystem::path& path, const torch::nn::Module& module,
                 at::ScalarType dtype) {
  TensorFile file;
  for (const auto& [name, tensor] : state_of(module)) {
    const at::Tensor value = tensor.detach();
    if (!value.is_floating_point()) {
      file.tensors.emplace(name, value);
      continue;
    }
    const at::Tensor converted = value.to(dtype);
    if (!at::isfinite(converted).all().item<bool>()) {
      throw_failure(path.string(), ": tensor '", name, "' holds values that ", dtype,
                    " can't hold, expected finite ones");
    }
    file.tensors.emplace(name, converted);
  }
  write_safetensors(path, file);
}

void load_module(const std::filesystem::path& path, torch::nn::Module& module) {
  load_state(module, read_safetensors(path).tensors, path.string());
}

}  // namespace guidegen
