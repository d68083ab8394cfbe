#include "diffusion/categorical_kernels.hpp"

#include <cmath>

#include "guidegen/nn/vector_math.hpp"

// Every inner loop runs over the voxels of a block, with the label outside: the loops have no
// branches, read and write consecutive floats and vectorise at -O3 (see CMakeLists.txt).

namespace guidegen::categorical {
namespace {

using vector_math::exp_nonpositive;
using vector_math::log_positive;

/// One float a voxel of the block.
struct alignas(64) Lane {
  float v[kBlock];
};

/// What the streaming passes over the logits leave behind.
struct Softmax {
  Lane inverse_sum;  ///< 1 / sum_c e_c
  Lane mix;          ///< b S = b sum_d p_d / Z_d
  Lane log_sum;      ///< log sum_c e_c
};

void find_top(const float* rows, int64_t voxels, int64_t labels, Lane& top) {
  for (int64_t v = 0; v < voxels; ++v) top.v[v] = rows[v];
  for (int64_t c = 1; c < labels; ++c) {
    const float* __restrict row = rows + c * kBlock;
    for (int64_t v = 0; v < voxels; ++v) top.v[v] = top.v[v] > row[v] ? top.v[v] : row[v];
  }
}

/// Replaces the logits in `rows` by e_c = exp(logit_c - top), and sums what the posterior needs.
void exponentiate(const int32_t* __restrict xt, int64_t voxels, int64_t labels,
                  const Transition& transition, const Lane& top, float* rows, Softmax& out) {
  Lane sum{};
  Lane sum_over_z{};
  // S is summed as it stands: from 1 - p_same it would lose all digits once p_same nears 1.
  const float over_same = 1.0F / transition.z_same;
  const float over_other = 1.0F / transition.z_other;
  for (int64_t c = 0; c < labels; ++c) {
    float* __restrict row = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < voxels; ++v) {
      const float value = exp_nonpositive(row[v] - top.v[v]);
      const float over_z = xt[v] == label ? over_same : over_other;
      row[v] = value;
      sum.v[v] += value;
      sum_over_z.v[v] += value * over_z;
    }
  }
  for (int64_t v = 0; v < voxels; ++v) {
    out.inverse_sum.v[v] = 1.0F / sum.v[v];
    out.mix.v[v] = transition.b * sum_over_z.v[v] * out.inverse_sum.v[v];
    // The largest term is 1, so only a NaN fails the test; it must not be lost.
    out.log_sum.v[v] = sum.v[v] >= 1.0F ? log_positive(sum.v[v]) : sum.v[v];
  }
}

/// What the KL term needs of x_0: with Q_c = (a [c = x_0] + b)/Z_{x_0}, the true posterior is A_c
/// Q_c.
struct Target {
  Lane q_true, q_other;        ///< Q of c = x_0 and of the others
  Lane over_true, over_other;  ///< 1/Q
};

void fill_target(const LossInput& in, const Transition& t, Target& target) {
  for (int64_t v = 0; v < in.voxels; ++v) {
    const float z = in.x0[v] == in.xt[v] ? t.z_same : t.z_other;
    target.q_true.v[v] = (t.a + t.b) / z;
    target.q_other.v[v] = t.b / z;
    target.over_true.v[v] = z / (t.a + t.b);
    target.over_other.v[v] = z / t.b;
  }
}

/// KL(q‖P) with P_c = A_c R_c, R_c = a p_c/Z_c + b S and q_c = A_c Q_c. A cancels in the ratio, and
/// as q and P both sum to 1,
///   KL = sum_c q_c (r_c - 1 - log r_c),  r_c = R_c/Q_c,
/// whose terms are all >= 0: nothing cancels where the two distributions nearly agree.
/// `pull` receives G = sum_c q_c/R_c for the gradient.
void kl_terms(const LossInput& in, const Transition& t, const Softmax& softmax,
              const Target& target, const float* rows, Lane& kl, Lane& pull) {
  const float over_same = 1.0F / t.z_same;
  const float over_other = 1.0F / t.z_other;
  for (int64_t c = 0; c < in.labels; ++c) {
    const float* __restrict e = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < in.voxels; ++v) {
      const bool same = in.xt[v] == label;
      const bool truth = in.x0[v] == label;
      const float z = same ? t.z_same : t.z_other;
      const float over_z = same ? over_same : over_other;
      const float big_a = same ? t.a_same : t.a_other;
      const float q = big_a * (truth ? target.q_true.v[v] : target.q_other.v[v]);
      const float over_q = truth ? target.over_true.v[v] : target.over_other.v[v];
      // R_c Z_c: free of the division by a small Z_c.
      const float rz = t.a * e[v] * softmax.inverse_sum.v[v] + softmax.mix.v[v] * z;
      const float r = rz * over_z * over_q;
      pull.v[v] += q * z / rz;
      kl.v[v] += q * (r - 1.0F - log_positive(r));
    }
  }
}

/// Gradient of the weighted sum of both terms. With g_d = dKL/dp_d = -(a q_d/R_d + b G)/Z_d,
///   dKL/dlogit_k = p_k (g_k - sum_d p_d g_d),
/// and sum_d p_d g_d = -sum_d (q_d/R_d)(a p_d/Z_d + b S) = -sum_d q_d = -1, so
///   dKL/dlogit_k = p_k (1 - (a q_k/R_k + b G)/Z_k),   dCE/dlogit_k = p_k - [k = x_0].
void gradient_terms(const LossInput& in, const Transition& t, const Softmax& softmax,
                    const Target& target, const Lane& pull, const Lane& weight, float* rows) {
  const float over_same = 1.0F / t.z_same;
  const float over_other = 1.0F / t.z_other;
  for (int64_t c = 0; c < in.labels; ++c) {
    float* __restrict e = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < in.voxels; ++v) {
      const bool same = in.xt[v] == label;
      const bool truth = in.x0[v] == label;
      const float z = same ? t.z_same : t.z_other;
      const float over_z = same ? over_same : over_other;
      const float big_a = same ? t.a_same : t.a_other;
      const float q = big_a * (truth ? target.q_true.v[v] : target.q_other.v[v]);
      const float p = e[v] * softmax.inverse_sum.v[v];
      const float rz = t.a * p + softmax.mix.v[v] * z;
      const float kl = p * (1.0F - t.a * q / rz - t.b * pull.v[v] * over_z);
      const float ce = p - (truth ? 1.0F : 0.0F);
      e[v] = weight.v[v] * (in.kl_scale * kl + in.ce_scale * ce);
    }
  }
}

/// At t = 1 the true posterior is a point at x_0: KL = -log p(x_0), the cross-entropy.
void first_step_gradient(const LossInput& in, const Softmax& softmax, const Lane& weight,
                         float* rows) {
  const float scale = in.kl_scale + in.ce_scale;
  for (int64_t c = 0; c < in.labels; ++c) {
    float* __restrict e = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < in.voxels; ++v) {
      const float p = e[v] * softmax.inverse_sum.v[v];
      e[v] = weight.v[v] * scale * (p - (in.x0[v] == label ? 1.0F : 0.0F));
    }
  }
}

/// Logit of x_0 less the largest: with log_sum, -log p(x_0) that stays right where p underflows.
void true_logits(const LossInput& in, const Lane& top, const float* rows, Lane& out) {
  for (int64_t v = 0; v < in.voxels; ++v) out.v[v] = rows[in.x0[v] * kBlock + v] - top.v[v];
}

/// p(x_s = c|x_t) = A_c (a p_c/Z_c + b S), the unnormalised e_c replaced by it in place.
void posterior_terms(const int32_t* __restrict xt, int64_t voxels, int64_t labels,
                     const Transition& t, const Softmax& softmax, float* rows) {
  const float slope_same = t.a_same * t.a / t.z_same;
  const float slope_other = t.a_other * t.a / t.z_other;
  for (int64_t c = 0; c < labels; ++c) {
    float* __restrict e = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < voxels; ++v) {
      const bool same = xt[v] == label;
      const float slope = same ? slope_same : slope_other;
      const float big_a = same ? t.a_same : t.a_other;
      e[v] = slope * e[v] * softmax.inverse_sum.v[v] + big_a * softmax.mix.v[v];
    }
  }
}

}  // namespace

Transition::Transition(double alpha_bar_t, double alpha_bar_s, int64_t labels) {
  const auto k = static_cast<double>(labels);
  const double alpha = alpha_bar_t / alpha_bar_s;
  a = static_cast<float>(alpha_bar_s);
  b = static_cast<float>((1 - alpha_bar_s) / k);
  a_other = static_cast<float>((1 - alpha) / k);
  a_same = static_cast<float>(alpha + (1 - alpha) / k);
  z_other = static_cast<float>((1 - alpha_bar_t) / k);
  z_same = static_cast<float>(alpha_bar_t + (1 - alpha_bar_t) / k);
}

LossSums loss_block(const LossInput& in, const Transition& transition, float* rows, bool gradient) {
  Lane top{};
  find_top(rows, in.voxels, in.labels, top);
  Lane ce;
  true_logits(in, top, rows, ce);
  Softmax softmax;
  exponentiate(in.xt, in.voxels, in.labels, transition, top, rows, softmax);
  Lane weight;
  for (int64_t v = 0; v < in.voxels; ++v) {
    ce.v[v] = softmax.log_sum.v[v] - ce.v[v];
    weight.v[v] = in.weight ? in.weight[v] : 1.0F;
  }

  Lane kl{};
  if (transition.b == 0.0F) {
    kl = ce;
    if (gradient) first_step_gradient(in, softmax, weight, rows);
  } else {
    Target target;
    Lane pull{};
    fill_target(in, transition, target);
    kl_terms(in, transition, softmax, target, rows, kl, pull);
    if (gradient) gradient_terms(in, transition, softmax, target, pull, weight, rows);
  }
  LossSums sums;
  for (int64_t v = 0; v < in.voxels; ++v) {
    sums.kl += static_cast<double>(weight.v[v]) * kl.v[v];
    sums.cross_entropy += static_cast<double>(weight.v[v]) * ce.v[v];
  }
  return sums;
}

void posterior_block(const int32_t* xt, int64_t voxels, int64_t labels,
                     const Transition& transition, float* rows) {
  Lane top{};
  find_top(rows, voxels, labels, top);
  Softmax softmax;
  exponentiate(xt, voxels, labels, transition, top, rows, softmax);
  posterior_terms(xt, voxels, labels, transition, softmax, rows);
}

bool sample_block(const int32_t* xt, const float* uniform, int64_t voxels, int64_t labels,
                  const Transition& transition, float* rows, int32_t* out) {
  posterior_block(xt, voxels, labels, transition, rows);
  Lane total{};
  for (int64_t c = 0; c < labels; ++c) {
    const float* __restrict p = rows + c * kBlock;
    for (int64_t v = 0; v < voxels; ++v) total.v[v] += p[v];
  }
  // The total is summed in the order of the scan below and uniform < 1, so the scan passes the
  // target at a label of positive probability before it ends.
  Lane target;
  Lane cumulated{};
  bool finite = true;
  for (int64_t v = 0; v < voxels; ++v) {
    target.v[v] = uniform[v] * total.v[v];
    finite = finite && std::isfinite(total.v[v]);
    out[v] = 0;
  }
  for (int64_t c = 0; c + 1 < labels; ++c) {
    const float* __restrict p = rows + c * kBlock;
    for (int64_t v = 0; v < voxels; ++v) {
      cumulated.v[v] += p[v];
      out[v] += cumulated.v[v] <= target.v[v] ? 1 : 0;
    }
  }
  return finite;
}

}  // namespace guidegen::categorical
