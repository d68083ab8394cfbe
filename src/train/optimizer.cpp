#include "guidegen/train/optimizer.hpp"

#include <torch/torch.h>

#include <numbers>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/module_io.hpp"

namespace guidegen {

Optimizer::Optimizer(torch::nn::Module& module, Options options, int64_t total_steps)
    : module_(module), options_(options), total_steps_(total_steps) {
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    names_.push_back(item.key());
    parameters_.push_back(item.value());
    moments_.push_back(torch::zeros_like(item.value()).detach());
    squares_.push_back(torch::zeros_like(item.value()).detach());
    counts_.push_back(torch::zeros({}, item.value().options().requires_grad(false)));
    averages_.push_back(item.value().detach().clone());
  }
  if (parameters_.empty()) throw_failure("training: the network has no weights to train");
  bad_steps_ = torch::zeros({}, counts_.front().options());
}

double Optimizer::learning_rate(int64_t step) const {
  const double warmup =
      std::min(1.0, double(step + 1) / double(std::max<int64_t>(1, options_.warmup_steps)));
  const double progress = std::min(1.0, double(step) / double(std::max<int64_t>(1, total_steps_)));
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return options_.learning_rate * warmup *
         (options_.final_share + (1.0 - options_.final_share) * cosine);
}

at::Tensor Optimizer::apply(int64_t step) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    auto& gradient = parameters_[i].mutable_grad();
    if (!gradient.defined()) {
      throw_failure("training: '", names_[i],
                    "' got no gradient, expected every weight to get one");
    }
    gradients.push_back(gradient);
  }
  const auto norm = torch::stack(at::_foreach_norm(gradients)).norm();
  const auto bad = norm.isfinite().logical_not().to(at::kFloat);
  if (options_.clip_norm > 0) {
    // Not finite times anything stays not finite; such a step is not taken anyway.
    at::_foreach_mul_(gradients, (options_.clip_norm / norm).clamp_max(1.0));
  }
  const auto good = 1.0 - bad;
  at::_foreach_add_(counts_, good);
  at::_fused_adamw_(parameters_, gradients, moments_, squares_, {}, counts_, learning_rate(step),
                    0.9, 0.99, options_.weight_decay, 1e-8, /*amsgrad=*/false, /*maximize=*/false,
                    /*grad_scale=*/{}, /*found_inf=*/bad);
  const double decay = std::min(options_.ema_decay, double(1 + step) / double(10 + step));
  at::_foreach_lerp_(averages_, parameters_, 1.0 - decay);
  bad_steps_.add_(1.0).mul_(bad);
  at::_foreach_zero_(gradients);
  return norm;
}

int64_t Optimizer::bad_steps() const { return bad_steps_.item<int64_t>(); }

void Optimizer::swap_averages() {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto kept = parameters_[i].clone();
    parameters_[i].copy_(averages_[i]);
    averages_[i].copy_(kept);
  }
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
