#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "guidegen/diffusion/noise_schedule.hpp"

namespace guidegen::testing {

using Vector = std::vector<double>;

/// Categorical diffusion with transition matrices written out and multiplied, in float64: nothing
/// is shared with the closed form that it checks.
class BruteForce {
 public:
  using Matrix = std::vector<Vector>;

  BruteForce(const NoiseSchedule& schedule, int64_t labels)
      : schedule_(schedule), labels_(static_cast<size_t>(labels)) {}

  /// One-step matrix Q_t = alpha_t I + (1 - alpha_t)/K, row: from, column: to.
  Matrix step(int64_t t) const {
    const double alpha = schedule_.alpha_bar(t) / schedule_.alpha_bar(t - 1);
    Matrix q(labels_, Vector(labels_, (1 - alpha) / static_cast<double>(labels_)));
    for (size_t c = 0; c < labels_; ++c) q[c][c] += alpha;
    return q;
  }

  /// Q_{s+1} Q_{s+2} … Q_t.
  Matrix between(int64_t s, int64_t t) const {
    Matrix product(labels_, Vector(labels_, 0.0));
    for (size_t c = 0; c < labels_; ++c) product[c][c] = 1;
    for (int64_t i = s + 1; i <= t; ++i) product = multiply(product, step(i));
    return product;
  }

  /// q(x_s | x_t, x_0) by Bayes' rule.
  Vector true_posterior(size_t x0, size_t xt, int64_t t, int64_t s) const {
    const Matrix to_s = between(0, s);
    const Matrix to_t = between(s, t);
    Vector q(labels_);
    double sum = 0;
    for (size_t c = 0; c < labels_; ++c) sum += q[c] = to_s[x0][c] * to_t[c][xt];
    for (double& value : q) value /= sum;
    return q;
  }

  /// p(x_s | x_t) = sum over x_0 of q(x_s|x_t,x_0) p(x_0).
  Vector predicted_posterior(const Vector& logits, size_t xt, int64_t t, int64_t s) const {
    const Vector p = softmax(logits);
    Vector result(labels_, 0.0);
    for (size_t d = 0; d < labels_; ++d) {
      const Vector q = true_posterior(d, xt, t, s);
      for (size_t c = 0; c < labels_; ++c) result[c] += p[d] * q[c];
    }
    return result;
  }

  double kl(const Vector& logits, size_t x0, size_t xt, int64_t t) const {
    const Vector q = true_posterior(x0, xt, t, t - 1);
    const Vector p = predicted_posterior(logits, xt, t, t - 1);
    double sum = 0;
    for (size_t c = 0; c < labels_; ++c) {
      if (q[c] > 0) sum += q[c] * (std::log(q[c]) - std::log(p[c]));
    }
    return sum;
  }

  static double cross_entropy(const Vector& logits, size_t x0) {
    return -std::log(softmax(logits)[x0]);
  }

  static Vector softmax(const Vector& logits) {
    Vector p;
    double sum = 0;
    for (const double logit : logits) sum += p.emplace_back(std::exp(logit));
    for (double& value : p) value /= sum;
    return p;
  }

 private:
  Matrix multiply(const Matrix& a, const Matrix& b) const {
    Matrix product(labels_, Vector(labels_, 0.0));
    for (size_t i = 0; i < labels_; ++i) {
      for (size_t j = 0; j < labels_; ++j) {
        for (size_t m = 0; m < labels_; ++m) product[i][j] += a[i][m] * b[m][j];
      }
    }
    return product;
  }

  const NoiseSchedule& schedule_;
  size_t labels_;
};

}  // namespace guidegen::testing
