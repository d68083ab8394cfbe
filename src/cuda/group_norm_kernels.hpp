#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

// Kernels of group_norm_silu, free of torch (nvcc takes half a minute for torch's headers).
//
// A problem is a number of *samples*, each `voxels` x `lanes` values without gaps, the lanes of one
// voxel side by side. Channels-last, the lanes are the channels and the samples those of the batch.
// Otherwise every channel of the batch is a sample, and its values, some in a row, take the part of
// lanes: one set of kernels serves both.

namespace guidegen::group_norm {

enum class Type { kFloat, kBfloat16, kHalf };

struct Problem {
  Type type;
  bool channels_last;
  int64_t batch, channels, groups, voxels;
  bool aligned;  ///< the operands start at multiples of 16 bytes
};

/// Floats of scratch that forward and backward need.
int64_t forward_scratch(const Problem& problem);
int64_t backward_scratch(const Problem& problem);

struct Parameters {
  const float* weight;  ///< [C]
  const float* bias;    ///< [C]
  const float* scale;   ///< [B,C] or null
  const float* shift;   ///< [B,C] or null
};

/// Fills y, mean and rstd [B,G].
void forward(const Problem& problem, const void* x, const Parameters& parameters, float eps,
             float* scratch, void* y, float* mean, float* rstd, cudaStream_t stream);

struct GradientsOut {
  void* dx;
  float *dweight, *dbias;  ///< [C]
  float *dscale, *dshift;  ///< [B,C]
};

void backward(const Problem& problem, const void* dy, const void* x, const float* mean,
              const float* rstd, const Parameters& parameters, float* scratch,
              const GradientsOut& out, cudaStream_t stream);

}  // namespace guidegen::group_norm
