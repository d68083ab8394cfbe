#pragma once

#include <bit>
#include <cstdint>

namespace guidegen::vector_math {

// exp and log without branches or calls, so that the compiler vectorises loops over them; libm's
// would be one scalar call an element. Both reduce the argument to an interval around the neutral
// element and evaluate the minimax polynomials of Cephes (Moshier, 1992, expf.c and logf.c).

/// e^x for x <= 0, within 2 ulp; 0 below -87 (where e^x leaves the normal range); NaN stays NaN.
inline float exp_nonpositive(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const float clamped = x < -87.0F ? -87.0F : x;
  const float shifted = clamped * 1.44269504F + kRound;
  const float power = shifted - kRound;
  // ln 2 in two parts, so that power * ln 2 is subtracted without rounding away the remainder.
  const float r = clamped - power * 0.693359375F - power * -2.12194440e-4F;
  float y = 1.9875691500e-4F;
  y = y * r + 1.3981999507e-3F;
  y = y * r + 8.3334519073e-3F;
  y = y * r + 4.1665795894e-2F;
  y = y * r + 1.6666665459e-1F;
  y = y * r + 5.0000001201e-1F;
  y = y * r * r + r + 1.0F;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound) + 127;
  const float scale = std::bit_cast<float>(static_cast<uint32_t>(exponent) << 23);
  return x < -87.0F ? 0.0F : y * scale;
}

/// Natural logarithm of a positive, finite, normal x within 2 ulp, also next to 1, where the result
/// is small. Other arguments give an unspecified finite value.
inline float log_positive(float x) {
  constexpr uint32_t kRootHalf = 0x3f3504f3;  // bits of sqrt(1/2): the mantissa's lower end
  const auto bits = std::bit_cast<uint32_t>(x);
  const int32_t exponent = static_cast<int32_t>(bits - kRootHalf) >> 23;
  const float mantissa = std::bit_cast<float>(bits - (static_cast<uint32_t>(exponent) << 23));
  const float f = mantissa - 1.0F;
  const float square = f * f;
  float y = 7.0376836292e-2F;
  y = y * f - 1.1514610310e-1F;
  y = y * f + 1.1676998740e-1F;
  y = y * f - 1.2420140846e-1F;
  y = y * f + 1.4249322787e-1F;
  y = y * f - 1.6668057665e-1F;
  y = y * f + 2.0000714765e-1F;
  y = y * f - 2.4999993993e-1F;
  y = y * f + 3.3333331174e-1F;
  const auto e = static_cast<float>(exponent);
  y = y * f * square + e * -2.12194440e-4F - 0.5F * square;
  return f + y + e * 0.693359375F;
}

}  // namespace guidegen::vector_math
