#pragma once

#include <cmath>
#include <cstdint>

#include "guidegen/nn/vector_math.hpp"

// The formulas of guidegen/diffusion/categorical.hpp for one label of one voxel, written once for
// the CPU kernels, which call them in loops over the voxels of a block, and for the CUDA kernels,
// which call them in one thread a voxel. No torch and nothing but plain C++, so that both compilers
// take it.

#ifdef __CUDACC__
#define GUIDEGEN_HOST_DEVICE __host__ __device__
#else
#define GUIDEGEN_HOST_DEVICE
#endif

namespace guidegen::categorical {

// The elementary functions are the only place where host and device differ.

/// e^x for x <= 0.
GUIDEGEN_HOST_DEVICE inline float exp_of(float x) {
#ifdef __CUDA_ARCH__
  return expf(x);
#else
  return vector_math::exp_nonpositive(x);
#endif
}

/// log x for x > 0; right next to 1 too, where the fast intrinsic of the device is not.
GUIDEGEN_HOST_DEVICE inline float log_of(float x) {
#ifdef __CUDA_ARCH__
  return logf(x);
#else
  return vector_math::log_positive(x);
#endif
}

GUIDEGEN_HOST_DEVICE inline float quotient(float x, float y) {
#ifdef __CUDA_ARCH__
  return __fdividef(x, y);
#else
  return x / y;
#endif
}

/// Constants of one transition t -> s for K labels, with alpha = alpha_bar(t)/alpha_bar(s):
///   A_c = alpha [c = x_t] + (1 - alpha)/K,  Z_d = alpha_bar(t) [d = x_t] + (1 - alpha_bar(t))/K
/// (the second is a A_d + b, simplified). The suffix says whether the label is x_t.
struct Transition {
  Transition() = default;
  GUIDEGEN_HOST_DEVICE Transition(double alpha_bar_t, double alpha_bar_s, int64_t labels) {
    const auto k = static_cast<double>(labels);
    const double alpha = alpha_bar_t / alpha_bar_s;
    a = static_cast<float>(alpha_bar_s);
    b = static_cast<float>((1 - alpha_bar_s) / k);
    a_other = static_cast<float>((1 - alpha) / k);
    a_same = static_cast<float>(alpha + (1 - alpha) / k);
    z_other = static_cast<float>((1 - alpha_bar_t) / k);
    z_same = static_cast<float>(alpha_bar_t + (1 - alpha_bar_t) / k);
    over_same = 1.0F / z_same;
    over_other = 1.0F / z_other;
  }

  float a;                      ///< alpha_bar(s)
  float b;                      ///< (1 - alpha_bar(s))/K; 0 when s = 0
  float a_same, a_other;        ///< A
  float z_same, z_other;        ///< Z
  float over_same, over_other;  ///< 1/Z

  /// At s = 0 the true posterior is a point at x_0.
  GUIDEGEN_HOST_DEVICE bool ends() const { return b == 0.0F; }
};

/// What the streaming passes over the logits of one voxel leave behind.
struct Softmax {
  float inverse_sum;  ///< 1 / sum_c e_c, with e_c = exp(logit_c - top)
  float mix;          ///< b S = b sum_d p_d / Z_d
  float log_sum;      ///< log sum_c e_c
};

/// `sum_over_z` is sum_c e_c / Z_c: summed as it stands, as from 1 - p_same it would lose all
/// digits once p_same nears 1.
GUIDEGEN_HOST_DEVICE inline Softmax softmax_of(float sum, float sum_over_z, const Transition& t) {
  Softmax out;
  out.inverse_sum = 1.0F / sum;
  out.mix = t.b * sum_over_z * out.inverse_sum;
  // The largest term is 1, so only a NaN fails the test; it must not be lost.
  out.log_sum = sum >= 1.0F ? log_of(sum) : sum;
  return out;
}

/// What the KL term of one voxel needs of x_0: with Q_c = (a [c = x_0] + b)/Z_{x_0}, the true
/// posterior is A_c Q_c.
struct Target {
  float q_true, q_other;        ///< Q of c = x_0 and of the others
  float over_true, over_other;  ///< 1/Q
};

/// `same`: x_0 = x_t. Not for transitions that end.
GUIDEGEN_HOST_DEVICE inline Target target_of(bool same, const Transition& t) {
  const float z = same ? t.z_same : t.z_other;
  return {(t.a + t.b) / z, t.b / z, z / (t.a + t.b), z / t.b};
}

/// One label c of a voxel in KL(q||P), where P_c = A_c R_c, R_c = a p_c/Z_c + b S and
/// q_c = A_c Q_c; `same`: c = x_t, `truth`: c = x_0.
struct LabelTerm {
  float z, over_z, q;
  float rz;  ///< R_c Z_c: free of the division by a small Z_c

  GUIDEGEN_HOST_DEVICE LabelTerm(bool same, bool truth, float p, float mix, float q_true,
                                 float q_other, const Transition& t)
      : z(same ? t.z_same : t.z_other),
        over_z(same ? t.over_same : t.over_other),
        q((same ? t.a_same : t.a_other) * (truth ? q_true : q_other)),
        rz(t.a * p + mix * z) {}

  /// q_c / (R_c Z_c)
  GUIDEGEN_HOST_DEVICE float ratio() const { return quotient(q, rz); }

  /// A cancels in the ratio, and as q and P both sum to 1, KL = sum_c q_c (r_c - 1 - log r_c) with
  /// r_c = R_c/Q_c, whose terms are all >= 0: nothing cancels where the two nearly agree.
  GUIDEGEN_HOST_DEVICE float divergence(float over_q) const {
    const float r = rz * over_z * over_q;
    return q * (r - 1.0F - log_of(r));
  }
};

/// d KL/d logit of label k. With G = sum_c q_c/R_c and g_d = dKL/dp_d = -(a q_d/R_d + b G)/Z_d,
///   dKL/dlogit_k = p_k (g_k - sum_d p_d g_d),
/// and sum_d p_d g_d = -sum_d (q_d/R_d)(a p_d/Z_d + b S) = -sum_d q_d = -1, so
///   dKL/dlogit_k = p_k (1 - (a q_k/R_k + b G)/Z_k).
/// `ratio` is LabelTerm::ratio of k, `pull` is b G.
GUIDEGEN_HOST_DEVICE inline float kl_gradient(float p, float ratio, float pull, float over_z,
                                              const Transition& t) {
  return p * (1.0F - t.a * ratio - pull * over_z);
}

/// d CE/d logit of label k; `truth`: k = x_0.
GUIDEGEN_HOST_DEVICE inline float ce_gradient(float p, bool truth) {
  return p - (truth ? 1.0F : 0.0F);
}

/// p(x_s = c|x_t) = A_c (a p_c/Z_c + b S) from e_c.
GUIDEGEN_HOST_DEVICE inline float posterior_of(bool same, float e, const Softmax& softmax,
                                               const Transition& t) {
  const float slope = same ? t.a_same * t.a / t.z_same : t.a_other * t.a / t.z_other;
  return slope * e * softmax.inverse_sum + (same ? t.a_same : t.a_other) * softmax.mix;
}

/// q(x_t|x_0) for one alpha_bar(t): the uniform kernel keeps x_0 or draws any label.
struct Noise {
  double keep;
  double scale;  ///< labels a unit of the uniform above `keep`
  int64_t last;

  GUIDEGEN_HOST_DEVICE Noise(double alpha_bar, int64_t labels)
      : keep(alpha_bar),
        scale(alpha_bar < 1 ? static_cast<double>(labels) / (1 - alpha_bar) : 0),
        last(labels - 1) {}

  /// The part of the uniform above `keep` is uniform again: it picks the label.
  GUIDEGEN_HOST_DEVICE int64_t draw(int64_t x0, float uniform) const {
    const double excess = static_cast<double>(uniform) - keep;
    const auto drawn = static_cast<int64_t>(excess * scale);
    return excess < 0 ? x0 : (drawn < last ? drawn : last);
  }
};

}  // namespace guidegen::categorical
