#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <tuple>

/// The operators of categorical_ops.hpp on the CPU. Values are checked as well as shapes and types;
/// results are the same bits for any number of threads.
namespace guidegen::categorical::cpu {

std::tuple<at::Tensor, at::Tensor, at::Tensor> loss(const at::Tensor& logits, const at::Tensor& x0,
                                                    const at::Tensor& xt, const at::Tensor& t,
                                                    const at::Tensor& alpha_bar, double kl_weight,
                                                    double ce_weight,
                                                    const std::optional<at::Tensor>& weight,
                                                    bool with_gradient);
at::Tensor posterior(const at::Tensor& logits, const at::Tensor& xt, double alpha_bar_t,
                     double alpha_bar_s);
at::Tensor sample(const at::Tensor& logits, const at::Tensor& xt, const at::Tensor& uniform,
                  double alpha_bar_t, double alpha_bar_s);
at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& uniform, const at::Tensor& t,
                     const at::Tensor& alpha_bar, int64_t labels);
at::Tensor& scale_gradient_(at::Tensor& gradient, const at::Tensor& factor);

}  // namespace guidegen::categorical::cpu
