#include "volume/cielab.hpp"

#include <cmath>

namespace guidegen {
namespace {

/// IEC 61966-2-1: the light that an 8-bit value of sRGB stands for, 0…1.
double linear_light(uint8_t value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

/// The function f of ISO/CIE 11664-4.
double lightness_curve(double t) {
  constexpr double kDelta = 6.0 / 29.0;
  return t > kDelta * kDelta * kDelta ? std::cbrt(t) : t / (3 * kDelta * kDelta) + 4.0 / 29.0;
}

}  // namespace

std::vector<int64_t> dicom_cielab(const std::array<uint8_t, 3>& srgb) {
  // sRGB to XYZ, adapted from D65 to D50 by Bradford's transform; rows are divided by the white.
  constexpr double kToXyz[3][3] = {{0.4360747, 0.3850649, 0.1430804},
                                   {0.2225045, 0.7168786, 0.0606169},
                                   {0.0139322, 0.0971045, 0.7141733}};
  double f[3];
  for (size_t row = 0; row < 3; ++row) {
    double value = 0, white = 0;
    for (size_t k = 0; k < 3; ++k) {
      value += kToXyz[row][k] * linear_light(srgb[k]);
      white += kToXyz[row][k];
    }
    f[row] = lightness_curve(value / white);
  }
  const double lightness = 116 * f[1] - 16;
  const double a = 500 * (f[0] - f[1]);
  const double b = 200 * (f[1] - f[2]);
  return {std::lround(lightness / 100 * 65535), std::lround((a + 128) / 255 * 65535),
          std::lround((b + 128) / 255 * 65535)};
}

}  // namespace guidegen
