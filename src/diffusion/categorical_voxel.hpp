#pragma once

#include <cmath>
#include <cstdint>

#include "diffusion/categorical_formulas.hpp"

// All labels of one voxel: what one CUDA thread does. The CPU goes by blocks of voxels instead
// (categorical_kernels.cpp) and compiles this for tests only.
//
// `Row` gives access to the K values of the voxel:
//   float logit(c)            before keep(c, ...) was called for that c
//   void keep(c, e), float e(c)  remembers e_c, or leaves it to e(c) to compute it again
//   void write(c, value)      the result of label c; neither logit nor e is asked for c any more

namespace guidegen::categorical {

/// A row that is overwritten in place: a column of a tile in shared memory.
struct InPlaceRow {
  float* values;
  int stride;

  GUIDEGEN_HOST_DEVICE float logit(int c) const { return values[c * stride]; }
  GUIDEGEN_HOST_DEVICE void begin(float /*top*/) {}
  GUIDEGEN_HOST_DEVICE void keep(int c, float e) { values[c * stride] = e; }
  GUIDEGEN_HOST_DEVICE float e(int c) const { return values[c * stride]; }
  GUIDEGEN_HOST_DEVICE void write(int c, float value) { values[c * stride] = value; }
};

/// A row that is read from and written to the tensors themselves, for more labels than fit into a
/// tile; `In` and `Out` are types of logits.
template <typename In, typename Out>
struct StreamingRow {
  const In* from;
  int64_t stride;  ///< between labels in `from`
  Out* to;         ///< may be null where nothing is written
  int64_t to_stride;
  float top = 0;

  GUIDEGEN_HOST_DEVICE float logit(int c) const { return static_cast<float>(from[c * stride]); }
  GUIDEGEN_HOST_DEVICE void begin(float largest) { top = largest; }
  GUIDEGEN_HOST_DEVICE void keep(int /*c*/, float /*e*/) {}
  GUIDEGEN_HOST_DEVICE float e(int c) const { return exp_of(logit(c) - top); }
  GUIDEGEN_HOST_DEVICE void write(int c, float value) {
    to[c * to_stride] = static_cast<Out>(value);
  }
};

template <typename Row>
GUIDEGEN_HOST_DEVICE float top_of_voxel(const Row& row, int labels) {
  float top = row.logit(0);
  for (int c = 1; c < labels; ++c) {
    const float value = row.logit(c);
    top = top > value ? top : value;
  }
  return top;
}

template <typename Row>
GUIDEGEN_HOST_DEVICE Softmax exponentiate_voxel(Row& row, int labels, int xt, float top,
                                                const Transition& t) {
  float sum = 0;
  float sum_over_z = 0;
  row.begin(top);
  for (int c = 0; c < labels; ++c) {
    const float e = exp_of(row.logit(c) - top);
    row.keep(c, e);
    sum += e;
    sum_over_z += e * (c == xt ? t.over_same : t.over_other);
  }
  return softmax_of(sum, sum_over_z, t);
}

/// What of one voxel enters the loss; the two scales are the factors of the terms in the gradient.
struct VoxelInput {
  int x0, xt;
  float weight;
  float kl_scale, ce_scale;
};

/// Both losses of a voxel times its weight.
struct VoxelLoss {
  float kl, cross_entropy;
};

/// Losses of a voxel for s = t - 1; with `gradient`, the row receives their derivative.
template <typename Row>
GUIDEGEN_HOST_DEVICE VoxelLoss loss_of_voxel(Row& row, int labels, const VoxelInput& in,
                                             const Transition& t, bool gradient) {
  const float top = top_of_voxel(row, labels);
  const float true_logit = row.logit(in.x0) - top;
  const Softmax softmax = exponentiate_voxel(row, labels, in.xt, top, t);
  const float ce = softmax.log_sum - true_logit;
  if (t.ends()) {
    for (int c = 0; gradient && c < labels; ++c) {
      const float p = row.e(c) * softmax.inverse_sum;
      row.write(c, in.weight * (in.kl_scale + in.ce_scale) * ce_gradient(p, c == in.x0));
    }
    return {in.weight * ce, in.weight * ce};
  }
  const Target target = target_of(in.x0 == in.xt, t);
  float kl = 0;
  float pull = 0;
  for (int c = 0; c < labels; ++c) {
    const bool truth = c == in.x0;
    const LabelTerm term(c == in.xt, truth, row.e(c) * softmax.inverse_sum, softmax.mix,
                         target.q_true, target.q_other, t);
    pull += term.ratio() * term.z;
    kl += term.divergence(truth ? target.over_true : target.over_other);
  }
  pull *= t.b;
  for (int c = 0; gradient && c < labels; ++c) {
    const bool truth = c == in.x0;
    const float p = row.e(c) * softmax.inverse_sum;
    const LabelTerm term(c == in.xt, truth, p, softmax.mix, target.q_true, target.q_other, t);
    row.write(c, in.weight * (in.kl_scale * kl_gradient(p, term.ratio(), pull, term.over_z, t) +
                              in.ce_scale * ce_gradient(p, truth)));
  }
  return {in.weight * kl, in.weight * ce};
}

/// Leaves p(x_s = c|x_t) in the row.
template <typename Row>
GUIDEGEN_HOST_DEVICE void posterior_of_voxel(Row& row, int labels, int xt, const Transition& t) {
  const float top = top_of_voxel(row, labels);
  const Softmax softmax = exponentiate_voxel(row, labels, xt, top, t);
  for (int c = 0; c < labels; ++c) row.write(c, posterior_of(c == xt, row.e(c), softmax, t));
}

/// Label at which the cumulated p(x_s|x_t) passes `uniform`; -1 when it isn't finite. Writes
/// nothing.
template <typename Row>
GUIDEGEN_HOST_DEVICE int sample_voxel(Row& row, int labels, int xt, float uniform,
                                      const Transition& t) {
  const float top = top_of_voxel(row, labels);
  const Softmax softmax = exponentiate_voxel(row, labels, xt, top, t);
  float total = 0;
  for (int c = 0; c < labels; ++c) total += posterior_of(c == xt, row.e(c), softmax, t);
  if (!(total < 3e38F)) return -1;
  // The total is summed in the order of the scan and uniform < 1, so the scan passes the target at
  // a label of positive probability before it ends.
  const float target = uniform * total;
  float cumulated = 0;
  for (int c = 0; c + 1 < labels; ++c) {
    cumulated += posterior_of(c == xt, row.e(c), softmax, t);
    if (cumulated > target) return c;
  }
  return labels - 1;
}

}  // namespace guidegen::categorical
