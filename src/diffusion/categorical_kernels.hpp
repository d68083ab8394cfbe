#pragma once

#include <cstdint>

#include "diffusion/categorical_formulas.hpp"

namespace guidegen::categorical {

/// Voxels that a kernel handles at once. Kernels work in place on a dense copy [K, kBlock] of the
/// block, which the caches hold between passes: in a whole volume the rows of the labels lie a
/// power of two apart as often as not, and would evict each other. Results depend on the blocks,
/// never on the number of threads.
inline constexpr int64_t kBlock = 256;

struct LossInput {
  const int32_t* x0;
  const int32_t* xt;
  const float* weight;  ///< null: 1 everywhere
  int64_t voxels;       ///< <= kBlock
  int64_t labels;
  float kl_scale;  ///< factors of the two terms in the gradient
  float ce_scale;
};

struct LossSums {
  double kl = 0;
  double cross_entropy = 0;
};

/// Weighted sums of both losses over the block for s = t - 1. `rows` holds the logits; with
/// `gradient`, afterwards, d(kl_scale kl + ce_scale ce)/d logits, else nothing of use.
LossSums loss_block(const LossInput& in, const Transition& transition, float* rows, bool gradient);

/// Turns the logits in `rows` into p(x_s|x_t).
void posterior_block(const int32_t* xt, int64_t voxels, int64_t labels,
                     const Transition& transition, float* rows);

/// Labels at which the cumulated p(x_s|x_t) passes `uniform`; `rows` holds the logits and is used
/// up. False when some voxel's probabilities aren't finite.
bool sample_block(const int32_t* xt, const float* uniform, int64_t voxels, int64_t labels,
                  const Transition& transition, float* rows, int32_t* out);

}  // namespace guidegen::categorical
