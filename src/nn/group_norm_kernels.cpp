#include "nn/group_norm_kernels.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "guidegen/nn/vector_math.hpp"

// The inner loops have no branches and vectorise at -O3 (see CMakeLists.txt).

// Each kernel is compiled a second time for vectors of 512 bits, which the program takes where the
// processor has them; the results are the same bits. Sanitizers don't go with such choices at
// start.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define GUIDEGEN_CLONES __attribute__((target_clones("arch=x86-64-v4", "default"), flatten))
#else
#define GUIDEGEN_CLONES
#endif

namespace guidegen::group_norm {
namespace {

inline float load(float value) { return value; }
inline float load(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

inline void store(float value, float& out) { out = value; }
inline void store(float value, uint16_t& out) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded =
      (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;  // to nearest, ties to even
  out = static_cast<uint16_t>(value == value ? rounded : 0x7fc0U);
}

/// 1 / (1 + e^-z)
inline float sigmoid(float z) {
  const float e = vector_math::exp_nonpositive(z < 0.0F ? z : -z);
  return (z < 0.0F ? e : 1.0F) / (1.0F + e);
}

/// dy silu'(z)
inline float through_silu(float dy, float z) {
  const float s = sigmoid(z);
  return dy * s * (1.0F + z * (1.0F - s));
}

/// Calls body(first, length) for each repetition of the pattern in the segment.
template <typename T, typename Body>
void for_each_period(const Segment<T>& in, const Body& body) {
  for (int64_t first = 0; first < in.count; first += in.period) {
    body(first, std::min(in.period, in.count - first));
  }
}

template <typename T>
inline void run_add_moments(const Segment<T>& in, const float* __restrict shift,
                            float* __restrict sum, float* __restrict square) {
  for_each_period(in, [&](int64_t first, int64_t length) {
    const T* __restrict x = in.x + first;
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      const float d = load(x[i]) - shift[i];
      sum[i] += d;
      square[i] += d * d;
    }
  });
}

template <typename T>
inline void run_normalize(const Segment<T>& in, const float* __restrict slope,
                          const float* __restrict offset, T* __restrict y) {
  for_each_period(in, [&](int64_t first, int64_t length) {
    const T* __restrict x = in.x + first;
    T* __restrict out = y + first;
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      const float z = load(x[i]) * slope[i] + offset[i];
      store(z * sigmoid(z), out[i]);
    }
  });
}

template <typename T>
inline void run_add_gradient_sums(const Segment<T>& in, const T* __restrict dy,
                                  const float* __restrict slope, const float* __restrict offset,
                                  const float* __restrict mean, float* __restrict sum,
                                  float* __restrict product) {
  for_each_period(in, [&](int64_t first, int64_t length) {
    const T* __restrict x = in.x + first;
    const T* __restrict d = dy + first;
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      const float value = load(x[i]);
      const float g = through_silu(load(d[i]), value * slope[i] + offset[i]);
      sum[i] += g;
      product[i] += g * (value - mean[i]);
    }
  });
}

template <typename T>
inline void run_input_gradient(const Segment<T>& in, const T* __restrict dy,
                               const float* __restrict slope, const float* __restrict offset,
                               const float* __restrict of_x, const float* __restrict constant,
                               T* __restrict dx) {
  for_each_period(in, [&](int64_t first, int64_t length) {
    const T* __restrict x = in.x + first;
    const T* __restrict d = dy + first;
    T* __restrict out = dx + first;
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      const float value = load(x[i]);
      const float g = through_silu(load(d[i]), value * slope[i] + offset[i]);
      store(slope[i] * g + of_x[i] * value + constant[i], out[i]);
    }
  });
}

}  // namespace

void repeat(float* pattern, int64_t unit, int64_t period) {
  if (unit == 1) {
    std::fill_n(pattern, period, pattern[0]);
    return;
  }
  for (int64_t done = unit; done < period; done *= 2) {
    std::copy_n(pattern, std::min(done, period - done), pattern + done);
  }
}

void fold(const float* pattern, int64_t count, int64_t unit, double* out) {
  if (unit == 1) {
    // Eight sums side by side: one alone would wait for each addition.
    std::array<double, 8> sums{};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
      for (int64_t j = 0; j < 8; ++j) sums[j] += static_cast<double>(pattern[i + j]);
    }
    for (; i < count; ++i) sums[0] += static_cast<double>(pattern[i]);
    *out = std::accumulate(sums.begin(), sums.end(), 0.0);
    return;
  }
  std::fill_n(out, unit, 0.0);
  for (int64_t i = 0; i < count; i += unit) {
#pragma GCC ivdep
    for (int64_t c = 0; c < unit; ++c) out[c] += static_cast<double>(pattern[i + c]);
  }
}

#define GUIDEGEN_KERNELS(T)                                                                        \
  template <>                                                                                      \
  float to_float<T>(T value) {                                                                     \
    return load(value);                                                                            \
  }                                                                                                \
  template <>                                                                                      \
  GUIDEGEN_CLONES void add_moments<T>(const Segment<T>& in, const float* shift, float* sum,        \
                                      float* square) {                                             \
    run_add_moments(in, shift, sum, square);                                                       \
  }                                                                                                \
  template <>                                                                                      \
  GUIDEGEN_CLONES void normalize<T>(const Segment<T>& in, const float* slope, const float* offset, \
                                    T* y) {                                                        \
    run_normalize(in, slope, offset, y);                                                           \
  }                                                                                                \
  template <>                                                                                      \
  GUIDEGEN_CLONES void add_gradient_sums<T>(const Segment<T>& in, const T* dy, const float* slope, \
                                            const float* offset, const float* mean, float* sum,    \
                                            float* product) {                                      \
    run_add_gradient_sums(in, dy, slope, offset, mean, sum, product);                              \
  }                                                                                                \
  template <>                                                                                      \
  GUIDEGEN_CLONES void input_gradient<T>(const Segment<T>& in, const T* dy, const float* slope,    \
                                         const float* offset, const float* of_x,                   \
                                         const float* constant, T* dx) {                           \
    run_input_gradient(in, dy, slope, offset, of_x, constant, dx);                                 \
  }

GUIDEGEN_KERNELS(float)
GUIDEGEN_KERNELS(uint16_t)
#undef GUIDEGEN_KERNELS

}  // namespace guidegen::group_norm
