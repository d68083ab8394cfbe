#pragma once

#include <c10/macros/Macros.h>

#include "diffusion/categorical_tile.hpp"
#include "diffusion/categorical_voxel.hpp"

// The kernels that categorical.cu launches: one thread a voxel, tiles as
// diffusion/categorical_tile.hpp describes them.

namespace guidegen::categorical::cuda {

inline constexpr int kMostThreads = 128;
inline constexpr int kReduceThreads = 512;

struct Sums {
  double kl, cross_entropy;
};

/// Adds up one value a thread, in a fixed order; the result is valid in thread 0. `scratch` holds a
/// value a thread.
inline __device__ Sums add_block(Sums value, Sums* scratch) {
  scratch[threadIdx.x] = value;
  __syncthreads();
  for (unsigned step = blockDim.x / 2; step > 0; step /= 2) {
    if (threadIdx.x < step) {
      scratch[threadIdx.x].kl += scratch[threadIdx.x + step].kl;
      scratch[threadIdx.x].cross_entropy += scratch[threadIdx.x + step].cross_entropy;
    }
    __syncthreads();
  }
  return scratch[0];
}

template <typename Scalar, typename Label>
struct LossArguments {
  const Scalar* logits;
  Scalar* gradient;  ///< null without gradient
  const Label* x0;
  const Label* xt;
  const float* weight;  ///< null: 1 everywhere
  const int64_t* t;
  const double* alpha_bar;
  Sums* sums;  ///< one a block
  Layout layout;
  int64_t steps;
  float kl_scale, ce_scale;
};

template <bool kInTile, typename Scalar, typename Label>
__global__ void loss_kernel(const LossArguments<Scalar, Label> in) {
  extern __shared__ float tile[];
  __shared__ Transition transition;
  __shared__ Sums scratch[kMostThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x);
  const TileSpan span(blockIdx.x, in.layout.voxels, threads);
  if (thread == 0) {
    const int64_t t = in.t[span.sample];
    CUDA_KERNEL_ASSERT(t >= 1 && t <= in.steps && "categorical diffusion: t out of range");
    transition = Transition(in.alpha_bar[t], in.alpha_bar[t - 1], in.layout.labels);
  }
  if (kInTile) load_tile(in.logits, in.layout, span, thread, threads, tile);
  __syncthreads();

  Sums sums{0, 0};
  if (thread < span.count) {
    const int64_t voxel = span.voxel(in.layout.voxels, thread);
    const VoxelInput input{static_cast<int>(in.x0[voxel]), static_cast<int>(in.xt[voxel]),
                           in.weight ? in.weight[voxel] : 1.0F, in.kl_scale, in.ce_scale};
    CUDA_KERNEL_ASSERT(input.x0 < in.layout.labels && input.xt < in.layout.labels &&
                       "categorical diffusion: label out of range");
    const bool gradient = in.gradient != nullptr;
    VoxelLoss loss;
    if (kInTile) {
      InPlaceRow row{tile + thread, tile_stride(threads)};
      loss = loss_of_voxel(row, in.layout.labels, input, transition, gradient);
    } else {
      const int64_t offset = in.layout.offset(span.sample, span.first + thread);
      StreamingRow<Scalar, Scalar> row{in.logits + offset, in.layout.stride(),
                                       gradient ? in.gradient + offset : nullptr,
                                       in.layout.stride()};
      loss = loss_of_voxel(row, in.layout.labels, input, transition, gradient);
    }
    sums = {loss.kl, loss.cross_entropy};
  }
  // Its barriers also separate the columns' writers from the tile's readers below.
  sums = add_block(sums, scratch);
  if (thread == 0) in.sums[blockIdx.x] = sums;
  if (kInTile && in.gradient) store_tile(tile, in.layout, span, thread, threads, in.gradient);
}

static __global__ void mean_kernel(const Sums* sums, int64_t blocks, double count, double kl_weight,
                                   double ce_weight, float* total, float* parts) {
  __shared__ Sums scratch[kReduceThreads];
  Sums sum{0, 0};
  for (int64_t i = threadIdx.x; i < blocks; i += blockDim.x) {
    sum.kl += sums[i].kl;
    sum.cross_entropy += sums[i].cross_entropy;
  }
  sum = add_block(sum, scratch);
  if (threadIdx.x == 0) {
    parts[0] = static_cast<float>(sum.kl / count);
    parts[1] = static_cast<float>(sum.cross_entropy / count);
    *total = static_cast<float>((kl_weight * sum.kl + ce_weight * sum.cross_entropy) / count);
  }
}

template <typename Scalar, typename Label>
struct StepArguments {
  const Scalar* logits;
  const Label* xt;
  const float* uniform;  ///< of the sampler
  Label* drawn;          ///< of the sampler
  float* posterior;      ///< of the posterior, [B,K,voxels]
  Layout layout;
  Transition transition;
};

/// Draws labels, or writes the posterior when there is nowhere to write labels.
template <bool kInTile, typename Scalar, typename Label>
__global__ void step_kernel(const StepArguments<Scalar, Label> in) {
  extern __shared__ float tile[];
  const int thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x);
  const TileSpan span(blockIdx.x, in.layout.voxels, threads);
  if (kInTile) {
    load_tile(in.logits, in.layout, span, thread, threads, tile);
    __syncthreads();
  }
  const int labels = in.layout.labels;
  const auto each = [&](auto& row, int64_t voxel) {
    const auto xt = static_cast<int>(in.xt[voxel]);
    CUDA_KERNEL_ASSERT(xt < labels && "categorical diffusion: label out of range");
    if (in.drawn) {
      const int drawn = sample_voxel(row, labels, xt, in.uniform[voxel], in.transition);
      CUDA_KERNEL_ASSERT(drawn >= 0 && "categorical diffusion: logits are not finite");
      in.drawn[voxel] = static_cast<Label>(drawn);
    } else {
      posterior_of_voxel(row, labels, xt, in.transition);
    }
  };
  const Layout out{labels, in.layout.voxels, false};
  if (thread < span.count) {
    const int64_t voxel = span.voxel(in.layout.voxels, thread);
    if (kInTile) {
      InPlaceRow row{tile + thread, tile_stride(threads)};
      each(row, voxel);
    } else {
      const int64_t place = span.first + thread;
      StreamingRow<Scalar, float> row{
          in.logits + in.layout.offset(span.sample, place), in.layout.stride(),
          in.posterior ? in.posterior + out.offset(span.sample, place) : nullptr, out.stride()};
      each(row, voxel);
    }
  }
  // Each thread stores its own column: no barrier.
  if (kInTile && in.posterior) store_tile(tile, out, span, thread, threads, in.posterior);
}

template <typename Label>
__global__ void noise_kernel(const Label* x0, const float* uniform, Label* out, const int64_t* t,
                             const double* alpha_bar, int64_t steps, int64_t labels,
                             int64_t voxels) {
  const TileSpan span(blockIdx.x, voxels, static_cast<int>(blockDim.x));
  const int thread = static_cast<int>(threadIdx.x);
  if (thread >= span.count) return;
  const int64_t time = t[span.sample];
  CUDA_KERNEL_ASSERT(time >= 0 && time <= steps && "categorical diffusion: t out of range");
  const Noise noise(alpha_bar[time], labels);
  const int64_t voxel = span.voxel(voxels, thread);
  out[voxel] = static_cast<Label>(noise.draw(static_cast<int64_t>(x0[voxel]), uniform[voxel]));
}

template <typename Scalar>
__global__ void scale_kernel(Scalar* values, const float* factor, int64_t count) {
  // Read on the device, so the host need not know it: a plain backward() arrives with 1.
  const float by = *factor;
  if (by == 1.0F) return;
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride) {
    values[i] = static_cast<Scalar>(static_cast<float>(values[i]) * by);
  }
}

}  // namespace guidegen::categorical::cuda
