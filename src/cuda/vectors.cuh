#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

// Values of several types as floats, and 16 bytes of them at a time.

namespace guidegen::cuda {

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline float to_float(__half value) { return __half2float(value); }

template <typename T>
__device__ inline T from_float(float value);
template <>
__device__ inline float from_float<float>(float value) {
  return value;
}
template <>
__device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}
template <>
__device__ inline __half from_float<__half>(float value) {
  return __float2half_rn(value);
}

/// V values side by side; V > 1 means that they fill 16 bytes and start at a multiple of 16.
template <typename T, int V>
struct alignas(V > 1 ? 16 : sizeof(T)) Vector {
  T value[V];

  __device__ static Vector load(const T* from) { return *reinterpret_cast<const Vector*>(from); }
  __device__ void store(T* to) const { *reinterpret_cast<Vector*>(to) = *this; }
};

/// V floats of a coefficient array that starts at a multiple of 16 bytes.
template <int V>
__device__ inline void load_floats(const float* from, float (&out)[V]) {
  if constexpr (V % 4 == 0) {
#pragma unroll
    for (int i = 0; i < V; i += 4) {
      const float4 part = *reinterpret_cast<const float4*>(from + i);
      out[i] = part.x, out[i + 1] = part.y, out[i + 2] = part.z, out[i + 3] = part.w;
    }
  } else {
#pragma unroll
    for (int i = 0; i < V; ++i) out[i] = from[i];
  }
}

}  // namespace guidegen::cuda
