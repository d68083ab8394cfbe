#pragma once

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "guidegen/diffusion/noise_schedule.hpp"

namespace guidegen::toy {

/// Categorical diffusion in float64 through transition matrices and Bayes' rule, for many voxels
/// and labels at once; autograd gives its gradients. Nothing is shared with the closed form.
class CategoricalReference {
 public:
  CategoricalReference(const NoiseSchedule& schedule, int64_t labels)
      : schedule_(schedule), labels_(labels) {}

  /// p(x_s|x_t), [K,n], of logits [K,n] float64 and x_t [n] int64.
  at::Tensor posterior(const at::Tensor& logits, const at::Tensor& xt, int64_t t, int64_t s) const {
    return at::einsum("ndc,dn->cn", {table(xt, t, s), logits.softmax(0)});
  }

  /// KL( q(x_{t-1}|x_t,x_0) || p(x_{t-1}|x_t) ), [n].
  at::Tensor kl(const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                int64_t t) const {
    const at::Tensor all = table(xt, t, t - 1);
    const at::Tensor index = x0.view({-1, 1, 1}).expand({-1, 1, labels_});
    const at::Tensor q = all.gather(1, index).squeeze(1).t();
    const at::Tensor p = at::einsum("ndc,dn->cn", {all, logits.softmax(0)});
    return (at::xlogy(q, q) - at::xlogy(q, p)).sum(0);
  }

  static at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& x0) {
    return -logits.log_softmax(0).gather(0, x0.unsqueeze(0)).squeeze(0);
  }

 private:
  /// Q_{s+1} … Q_t, row: from, column: to.
  at::Tensor between(int64_t s, int64_t t) const {
    at::Tensor product = at::eye(labels_, at::kDouble);
    for (int64_t i = s + 1; i <= t; ++i) {
      const double alpha = schedule_.alpha_bar(i) / schedule_.alpha_bar(i - 1);
      product = product.matmul(alpha * at::eye(labels_, at::kDouble) +
                               (1 - alpha) / static_cast<double>(labels_));
    }
    return product;
  }

  /// q(x_s = c|x_t, x_0 = d) as [n,d,c].
  at::Tensor table(const at::Tensor& xt, int64_t t, int64_t s) const {
    const at::Tensor likelihood = between(s, t).index_select(1, xt).t().unsqueeze(1);
    const at::Tensor joint = between(0, s).unsqueeze(0) * likelihood;
    return joint / joint.sum(2, /*keepdim=*/true);
  }

  const NoiseSchedule& schedule_;
  int64_t labels_;
};

/// Random logits, labels, weights and uniforms on the CPU, and what the loss makes of them.
struct CategoricalCase {
  int64_t labels;
  std::vector<int64_t> t;
  at::Tensor logits;           // [B,K,D,H,W] float32, values that bfloat16 and float16 hold exactly
  at::Tensor x0, xt;           // [B,D,H,W] int64, equal in a third of the voxels
  at::Tensor weight, uniform;  // [B,D,H,W] float32

  CategoricalCase(int64_t label_count, std::vector<int64_t> times, std::vector<int64_t> dhw)
      : labels(label_count), t(std::move(times)) {
    const std::vector<int64_t> shape{static_cast<int64_t>(t.size()), dhw[0], dhw[1], dhw[2]};
    const auto count = c10::multiply_integers(shape);
    // Irrational strides are as good as noise here and the same on every machine.
    const auto values = [&](double stride, int64_t n) {
      return (at::arange(n, at::kDouble) * stride).remainder(1.0);
    };
    logits = ((values(0.7548776662466927, count * labels) * 12 - 6) * 16).round() / 16;
    logits = logits.view({shape[0], labels, dhw[0], dhw[1], dhw[2]}).to(at::kFloat);
    const auto label = [&](double stride) {
      return (values(stride, count) * static_cast<double>(labels)).floor().to(at::kLong);
    };
    x0 = label(0.6180339887498949);
    const at::Tensor third = at::arange(count, at::kLong).remainder(3) == 0;
    xt = at::where(third, x0, label(0.5698402909980532)).view(shape);
    x0 = x0.view(shape);
    weight = (values(0.3819660112501051, count) * 2).to(at::kFloat).view(shape);
    uniform = values(0.2451223337533073, count).to(at::kFloat).view(shape);
  }

  struct Expected {
    double total, kl, cross_entropy;
    at::Tensor gradient;  // [B,K,D,H,W] float64
  };
  Expected expected(const NoiseSchedule& schedule, double kl_weight, double ce_weight,
                    bool weighted) const {
    const CategoricalReference reference(schedule, labels);
    at::Tensor leaf = logits.to(at::kDouble).requires_grad_();
    at::Tensor kl = at::zeros({}, at::kDouble);
    at::Tensor ce = at::zeros({}, at::kDouble);
    const auto count = static_cast<double>(x0.numel());
    for (size_t b = 0; b < t.size(); ++b) {
      const auto i = static_cast<int64_t>(b);
      const at::Tensor own = leaf[i].flatten(1);
      const at::Tensor from = x0[i].flatten();
      const at::Tensor weights =
          weighted ? weight[i].flatten().to(at::kDouble) : at::ones_like(from, at::kDouble);
      kl = kl + (weights * reference.kl(own, from, xt[i].flatten(), t[b])).sum() / count;
      ce = ce + (weights * CategoricalReference::cross_entropy(own, from)).sum() / count;
    }
    const at::Tensor total = kl_weight * kl + ce_weight * ce;
    total.backward();
    return {total.item<double>(), kl.item<double>(), ce.item<double>(), leaf.grad()};
  }
};

}  // namespace guidegen::toy
