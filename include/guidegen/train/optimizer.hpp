#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

namespace guidegen {

/// AdamW (Loshchilov & Hutter, ICLR 2019) with LibTorch's fused kernel, gradient clipping by global
/// norm, linear warm-up and cosine decay, and an exponential moving average of the weights. Trains
/// the parameters that require gradients.
class Optimizer {
 public:
  struct Options {
    double learning_rate = 4e-4;
    double final_share = 0.1;  ///< of the learning rate, reached at the last step
    int64_t warmup_steps = 50;
    double weight_decay = 0.01;
    double clip_norm = 1.0;    ///< 0: no clipping
    double ema_decay = 0.999;  ///< warmed up as (1+n)/(10+n)
  };
  Optimizer(torch::nn::Module& module, Options options, int64_t total_steps);

  /// Applies the gradients of step `step` (0-based) and zeroes them in place. Nothing waits for
  /// the device: returns the gradient norm before clipping as a float32 scalar there. Where it is
  /// not finite, the step leaves weights and moments as they are.
  at::Tensor apply(int64_t step);
  /// Steps in a row, up to the last one, whose gradient was not finite. Waits for the device.
  int64_t bad_steps() const;
  double learning_rate(int64_t step) const;

  /// Averaged weights by name, for saving and sampling (buffers as they are).
  std::map<std::string, at::Tensor> averaged_state() const;
  /// Moments, step counts and averages by name ("exp_avg.<parameter>" …); tensors are shared.
  std::map<std::string, at::Tensor> state() const;
  /// The weights that are trained, in the order of registration.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  /// Exchanges the weights of the module and the averages; again: back.
  void swap_averages();
  void load_state(const std::map<std::string, at::Tensor>& state, const std::string& source);

 private:
  torch::nn::Module& module_;
  Options options_;
  int64_t total_steps_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_, moments_, squares_, counts_, averages_;
  at::Tensor bad_steps_;  // float32 scalar
};

}  // namespace guidegen
