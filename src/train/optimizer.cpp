#include "guidegen/train/optimizer.hpp"

#include <torch/torch.h>

#include <numbers>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/module_io.hpp"

namespace guidegen {

Optimizer::Optimizer(torch::nn::Module& module, Options options, int64_t total_steps)
    : module_(module), options_(options), total_steps_(total_steps) {
  for (const auto& item : module.named_parameters()) {
    names_.push_back(item.key());
    parameters_.push_back(item.value());
    moments_.push_back(torch::zeros_like(item.value()).detach());
    squares_.push_back(torch::zeros_like(item.value()).detach());
    counts_.push_back(torch::zeros({}, at::kFloat));
    averages_.push_back(item.value().detach().clone());
  }
}

double Optimizer::learning_rate(int64_t step) const {
  const double warmup =
      std::min(1.0, double(step + 1) / double(std::max<int64_t>(1, options_.warmup_steps)));
  const double progress = std::min(1.0, double(step) / double(std::max<int64_t>(1, total_steps_)));
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return options_.learning_rate * warmup *
         (options_.final_share + (1.0 - options_.final_share) * cosine);
}

double Optimizer::apply(int64_t step) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> used, gradients, moments, squares, counts;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;  // a branch that this step did not reach
    used.push_back(parameters_[i]);
    gradients.push_back(parameters_[i].grad());
    moments.push_back(moments_[i]);
    squares.push_back(squares_[i]);
    counts.push_back(counts_[i]);
  }
  const auto norms = at::_foreach_norm(gradients);
  const double norm = torch::stack(norms).norm().item<double>();
  if (!std::isfinite(norm)) {
    module_.zero_grad();
    return norm;
  }
  if (options_.clip_norm > 0 && norm > options_.clip_norm) {
    at::_foreach_mul_(gradients, options_.clip_norm / norm);
  }
  at::_foreach_add_(counts, 1.0);
  at::_fused_adamw_(used, gradients, moments, squares, {}, counts, learning_rate(step), 0.9, 0.99,
                    options_.weight_decay, 1e-8, /*amsgrad=*/false, /*maximize=*/false);
  const double decay = std::min(options_.ema_decay, double(1 + step) / double(10 + step));
  at::_foreach_lerp_(averages_, parameters_, 1.0 - decay);
  module_.zero_grad();
  return norm;
}

std::map<std::string, at::Tensor> Optimizer::averaged_state() const {
  auto state = state_of(module_);
  for (size_t i = 0; i < names_.size(); ++i) state[names_[i]] = averages_[i];
  return state;
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> state;
  for (size_t i = 0; i < names_.size(); ++i) {
    state["exp_avg." + names_[i]] = moments_[i];
    state["exp_avg_sq." + names_[i]] = squares_[i];
    state["step." + names_[i]] = counts_[i];
    state["ema." + names_[i]] = averages_[i];
  }
  return state;
}

void Optimizer::load_state(const std::map<std::string, at::Tensor>& state,
                           const std::string& source) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : this->state()) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != tensor.sizes()) {
      throw_failure(source, ": ", name, " is missing or of the wrong shape");
    }
    at::Tensor target = tensor;
    target.copy_(found->second);
  }
}

}  // namespace guidegen
