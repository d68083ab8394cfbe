#pragma once

#include <cstddef>
#include <cstdint>

namespace guidegen::categorical {

/// Voxels that a kernel handles at once. A block's logits and gradients stay in the L1 and L2
/// caches between passes, and results depend on the blocks, never on the number of threads.
inline constexpr int64_t kBlock = 256;

/// Constants of one transition t -> s for K labels, with alpha = alpha_bar(t)/alpha_bar(s):
///   A_c = alpha [c = x_t] + (1 - alpha)/K,  Z_d = alpha_bar(t) [d = x_t] + (1 - alpha_bar(t))/K
/// (the second is a A_d + b, simplified). The suffix says whether the label is x_t.
struct Transition {
  Transition(double alpha_bar_t, double alpha_bar_s, int64_t labels);
  float a;                ///< alpha_bar(s)
  float b;                ///< (1 - alpha_bar(s))/K; 0 when s = 0
  float a_same, a_other;  ///< A
  float z_same, z_other;  ///< Z
};

/// Rows of one block: row c holds the values of label c for `voxels` <= kBlock voxels.
struct Rows {
  const float* data;
  ptrdiff_t stride;  ///< floats from one row to the next
};

struct LossInput {
  Rows logits;
  const int32_t* x0;
  const int32_t* xt;
  const float* weight;  ///< null: 1 everywhere
  int64_t voxels;
  int64_t labels;
  float kl_scale;  ///< factors of the two terms in the gradient
  float ce_scale;
};

struct LossSums {
  double kl = 0;
  double cross_entropy = 0;
};

/// Weighted sums of both losses over the block for s = t - 1. `work` has the shape of the logits
/// (rows `work_stride` apart); with `gradient` it holds, afterwards, d(kl_scale kl + ce_scale ce)/d
/// logits, else scratch.
LossSums loss_block(const LossInput& in, const Transition& transition, float* work,
                    ptrdiff_t work_stride, bool gradient);

/// p(x_s|x_t) into `out` (rows `out_stride` apart).
void posterior_block(const Rows& logits, const int32_t* xt, int64_t voxels, int64_t labels,
                     const Transition& transition, float* out, ptrdiff_t out_stride);

/// Labels at which the cumulated p(x_s|x_t) passes `uniform`. `work` is scratch of labels * kBlock.
/// False when some voxel's probabilities aren't finite.
bool sample_block(const Rows& logits, const int32_t* xt, const float* uniform, int64_t voxels,
                  int64_t labels, const Transition& transition, float* work, int32_t* out);

}  // namespace guidegen::categorical
