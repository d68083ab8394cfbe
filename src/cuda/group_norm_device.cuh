#pragma once

#include <type_traits>

#include "cuda/group_norm_plan.cuh"
#include "cuda/vectors.cuh"

// What the forward and the backward kernels share. No kernel adds with atomics: partial results go
// to scratch and are added up in a fixed order.

namespace guidegen::group_norm {

using cuda::from_float;
using cuda::load_floats;
using cuda::to_float;
using cuda::Vector;

constexpr int kFinishers = 128;  ///< threads that add up the partial results of a group

__device__ inline float sigmoid(float z) { return __fdividef(1.0F, 1.0F + __expf(-z)); }

/// The thread's values of a [B,C] array: of its V channels, or V times that of its sample.
template <int V>
__device__ inline void load_coefficients(const Plan& plan, const Place& place, const float* from,
                                         float (&out)[V]) {
  if (plan.channels_last) {
    load_floats(from + place.sample * plan.channels + place.column * V, out);
    return;
  }
  const float value = from[place.sample];
#pragma unroll
  for (int i = 0; i < V; ++i) out[i] = value;
}

/// Calls use(load(offset), offset) for each of the thread's voxels; several loads are under way
/// before the first use.
template <typename Load, typename Use>
__device__ inline void for_each_voxel(const Plan& plan, const Place& place, const Load& load,
                                      const Use& use) {
  if (!place.active) return;
  int64_t offset = place.offset(plan, place.first + place.row);
  const int64_t step = static_cast<int64_t>(plan.rows) * plan.lanes;
  for (int64_t v = place.first + place.row; v < place.last; v += kUnroll * plan.rows) {
    decltype(load(offset)) values[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      if (v + u * plan.rows < place.last) values[u] = load(offset + u * step);
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      if (v + u * plan.rows < place.last) use(values[u], offset + u * step);
    }
    offset += kUnroll * step;
  }
}

/// Adds two times V values up over the rows of the block; the first row holds the sums.
template <int V>
__device__ inline void add_rows(const Plan& plan, const Place& place, float (&a)[V],
                                float (&b)[V]) {
  __shared__ float shared[2 * V][kThreads];
  const int t = static_cast<int>(threadIdx.x);
#pragma unroll
  for (int i = 0; i < V; ++i) shared[i][t] = a[i], shared[V + i][t] = b[i];
  for (int rows = plan.rows; rows > 1;) {
    const int half = (rows + 1) / 2;
    __syncthreads();
    if (place.row + half < rows) {
#pragma unroll
      for (int i = 0; i < 2 * V; ++i) shared[i][t] += shared[i][t + half * plan.tile];
    }
    rows = half;
  }
  // A thread reads only what it wrote itself in the last round.
#pragma unroll
  for (int i = 0; i < V; ++i) a[i] = shared[i][t], b[i] = shared[V + i][t];
}

/// Writes the first row's pairs (a, b) as the partial results of the block's lanes.
template <int V>
__device__ inline void write_partials(const Plan& plan, const Place& place, const float (&a)[V],
                                      const float (&b)[V], float2* out) {
  if (!place.active || place.row != 0) return;
  float2* to = out + static_cast<int64_t>(blockIdx.x) * plan.lanes + place.column * V;
#pragma unroll
  for (int i = 0; i < V; ++i) to[i] = make_float2(a[i], b[i]);
}

/// The sum of a value over the block, for all threads.
__device__ inline double block_sum(double value) {
  __shared__ double shared[kFinishers];
  __syncthreads();
  shared[threadIdx.x] = value;
  for (int half = kFinishers / 2; half > 0; half /= 2) {
    __syncthreads();
    if (static_cast<int>(threadIdx.x) < half) shared[threadIdx.x] += shared[threadIdx.x + half];
  }
  __syncthreads();
  return shared[0];
}

/// slope and intercept of z = slope x + intercept for a channel, [B,C] each.
__device__ inline void write_affine(const Plan& plan, const Parameters& p, int64_t b, int c,
                                    float mean, float rstd, float* slope, float* intercept) {
  const int64_t i = b * plan.channels + c;
  const float factor = p.scale == nullptr ? 1.0F : 1.0F + p.scale[i];
  const float gain = p.weight[c] * factor;
  const float offset = p.bias[c] * factor + (p.shift == nullptr ? 0.0F : p.shift[i]);
  slope[i] = gain * rstd;
  intercept[i] = offset - mean * rstd * gain;
}

/// Scratch arrays start at multiples of 16 bytes.
inline int64_t round_up(int64_t floats) { return (floats + 3) / 4 * 4; }

/// Calls body with a null pointer to the element type and V.
template <typename Body>
void with_type(Type type, int vector, const Body& body) {
  const auto with_vector = [&](auto* null, auto widest) {
    if (vector > 1) {
      body(null, widest);
    } else {
      body(null, std::integral_constant<int, 1>());
    }
  };
  switch (type) {
    case Type::kFloat:
      return with_vector(static_cast<float*>(nullptr), std::integral_constant<int, 4>());
    case Type::kBfloat16:
      return with_vector(static_cast<__nv_bfloat16*>(nullptr), std::integral_constant<int, 8>());
    case Type::kHalf:
      return with_vector(static_cast<__half*>(nullptr), std::integral_constant<int, 8>());
  }
}

}  // namespace guidegen::group_norm
