#pragma once

#include <cstdint>

// Loops of group_norm_silu over a segment of one sample, free of torch. What depends on the channel
// comes as a *pattern*: `period` floats that repeat along the segment. Channels-last, a pattern
// holds the values of all channels, several times over, so that vectors fill up whatever the number
// of channels; in a row of one channel it holds one value throughout. One loop serves both.
// T is float, or uint16_t for the bits of a bfloat16.

namespace guidegen::group_norm {

template <typename T>
struct Segment {
  const T* x;
  int64_t count;   ///< values
  int64_t period;  ///< length of every pattern
};

/// sum[i] += x - shift[i] and square[i] += (x - shift[i])^2, for each place i of the pattern.
template <typename T>
void add_moments(const Segment<T>& in, const float* shift, float* sum, float* square);

/// y = silu(slope x + offset)
template <typename T>
void normalize(const Segment<T>& in, const float* slope, const float* offset, T* y);

/// With z = slope x + offset and g = dy silu'(z): sum[i] += g, product[i] += g (x - mean[i]).
template <typename T>
void add_gradient_sums(const Segment<T>& in, const T* dy, const float* slope, const float* offset,
                       const float* mean, float* sum, float* product);

/// dx = slope g + of_x x + constant, with g as above.
template <typename T>
void input_gradient(const Segment<T>& in, const T* dy, const float* slope, const float* offset,
                    const float* of_x, const float* constant, T* dx);

/// Repeats the first `unit` floats along the pattern.
void repeat(float* pattern, int64_t unit, int64_t period);

/// out[c] = sum of the floats at c, c + unit, c + 2 unit, ... below `count`.
void fold(const float* pattern, int64_t count, int64_t unit, double* out);

template <typename T>
float to_float(T value);

}  // namespace guidegen::group_norm
