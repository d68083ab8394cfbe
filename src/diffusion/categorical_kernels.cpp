#include "diffusion/categorical_kernels.hpp"

#include <cmath>

// Every inner loop runs over the voxels of a block, with the label outside: the loops have no
// branches, read and write consecutive floats and vectorise at -O3 (see CMakeLists.txt). For that
// the compiler must know that a write leaves the constants and the other buffers alone: hence
// constants by value and __restrict.

namespace guidegen::categorical {
namespace {

/// One float a voxel of the block.
struct alignas(64) Lane {
  float v[kBlock];
};

/// Softmax of each voxel.
struct SoftmaxLanes {
  Lane inverse_sum, mix, log_sum;
};

/// Target of each voxel.
struct TargetLanes {
  Lane q_true, q_other, over_true, over_other;
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
                  const Transition& transition, const Lane& top, float* rows, SoftmaxLanes& out) {
  Lane sum{};
  Lane sum_over_z{};
  for (int64_t c = 0; c < labels; ++c) {
    float* __restrict row = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < voxels; ++v) {
      const float value = exp_of(row[v] - top.v[v]);
      const float over_z = xt[v] == label ? transition.over_same : transition.over_other;
      row[v] = value;
      sum.v[v] += value;
      sum_over_z.v[v] += value * over_z;
    }
  }
  for (int64_t v = 0; v < voxels; ++v) {
    const Softmax softmax = softmax_of(sum.v[v], sum_over_z.v[v], transition);
    out.inverse_sum.v[v] = softmax.inverse_sum;
    out.mix.v[v] = softmax.mix;
    out.log_sum.v[v] = softmax.log_sum;
  }
}

void fill_targets(const LossInput& in, const Transition& t, TargetLanes& out) {
  for (int64_t v = 0; v < in.voxels; ++v) {
    const Target target = target_of(in.x0[v] == in.xt[v], t);
    out.q_true.v[v] = target.q_true;
    out.q_other.v[v] = target.q_other;
    out.over_true.v[v] = target.over_true;
    out.over_other.v[v] = target.over_other;
  }
}

/// Sums the KL of each voxel and `pull`, b G of the gradient; turns the e_c in `rows` into p_c.
void kl_terms(const LossInput& in, const Transition t, const SoftmaxLanes& __restrict softmax,
              const TargetLanes& __restrict target, float* rows, Lane& __restrict kl,
              Lane& __restrict pull) {
  const int64_t voxels = in.voxels;
  const int32_t* __restrict x0 = in.x0;
  const int32_t* __restrict xt = in.xt;
  for (int64_t c = 0; c < in.labels; ++c) {
    float* __restrict row = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < voxels; ++v) {
      const bool truth = x0[v] == label;
      const float p = row[v] * softmax.inverse_sum.v[v];
      const LabelTerm term(xt[v] == label, truth, p, softmax.mix.v[v], target.q_true.v[v],
                           target.q_other.v[v], t);
      const float over_q = truth ? target.over_true.v[v] : target.over_other.v[v];
      row[v] = p;
      pull.v[v] += term.ratio() * term.z;
      kl.v[v] += term.divergence(over_q);
    }
  }
  for (int64_t v = 0; v < voxels; ++v) pull.v[v] *= t.b;
}

/// Gradient of the weighted sum of both terms, in place of the p_c.
void gradient_terms(const LossInput& in, const Transition t, const Lane& __restrict mix,
                    const TargetLanes& __restrict target, const Lane& __restrict pull,
                    const Lane& __restrict weight, float* rows) {
  const int64_t voxels = in.voxels;
  const int32_t* __restrict x0 = in.x0;
  const int32_t* __restrict xt = in.xt;
  const float kl_scale = in.kl_scale;
  const float ce_scale = in.ce_scale;
  for (int64_t c = 0; c < in.labels; ++c) {
    float* __restrict row = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < voxels; ++v) {
      const bool truth = x0[v] == label;
      const LabelTerm term(xt[v] == label, truth, row[v], mix.v[v], target.q_true.v[v],
                           target.q_other.v[v], t);
      const float kl = kl_gradient(row[v], term.ratio(), pull.v[v], term.over_z, t);
      row[v] = weight.v[v] * (kl_scale * kl + ce_scale * ce_gradient(row[v], truth));
    }
  }
}

/// At t = 1 the true posterior is a point at x_0: KL = -log p(x_0), the cross-entropy.
void first_step_gradient(const LossInput& in, const SoftmaxLanes& softmax, const Lane& weight,
                         float* rows) {
  const float scale = in.kl_scale + in.ce_scale;
  for (int64_t c = 0; c < in.labels; ++c) {
    float* __restrict e = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < in.voxels; ++v) {
      const float p = e[v] * softmax.inverse_sum.v[v];
      e[v] = weight.v[v] * scale * ce_gradient(p, in.x0[v] == label);
    }
  }
}

/// Logit of x_0 less the largest: with log_sum, -log p(x_0) that stays right where p underflows.
void true_logits(const LossInput& in, const Lane& top, const float* rows, Lane& out) {
  for (int64_t v = 0; v < in.voxels; ++v) out.v[v] = rows[in.x0[v] * kBlock + v] - top.v[v];
}

/// p(x_s = c|x_t) in place of the e_c.
void posterior_terms(const int32_t* __restrict xt, int64_t voxels, int64_t labels,
                     const Transition& t, const SoftmaxLanes& softmax, float* rows) {
  for (int64_t c = 0; c < labels; ++c) {
    float* __restrict e = rows + c * kBlock;
    const auto label = static_cast<int32_t>(c);
    for (int64_t v = 0; v < voxels; ++v) {
      const Softmax lane{softmax.inverse_sum.v[v], softmax.mix.v[v], 0.0F};
      e[v] = posterior_of(xt[v] == label, e[v], lane, t);
    }
  }
}

}  // namespace

LossSums loss_block(const LossInput& in, const Transition& transition, float* rows, bool gradient) {
  Lane top{};
  find_top(rows, in.voxels, in.labels, top);
  Lane ce;
  true_logits(in, top, rows, ce);
  SoftmaxLanes softmax;
  exponentiate(in.xt, in.voxels, in.labels, transition, top, rows, softmax);
  Lane weight;
  for (int64_t v = 0; v < in.voxels; ++v) {
    ce.v[v] = softmax.log_sum.v[v] - ce.v[v];
    weight.v[v] = in.weight ? in.weight[v] : 1.0F;
  }

  Lane kl{};
  if (transition.ends()) {
    kl = ce;
    if (gradient) first_step_gradient(in, softmax, weight, rows);
  } else {
    TargetLanes target;
    Lane pull{};
    fill_targets(in, transition, target);
    kl_terms(in, transition, softmax, target, rows, kl, pull);
    if (gradient) gradient_terms(in, transition, softmax.mix, target, pull, weight, rows);
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
  SoftmaxLanes softmax;
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
