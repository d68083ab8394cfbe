#include "guidegen/nn/vector_math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace guidegen::vector_math {
namespace {

/// Distance in units of the last place of the true value.
double ulps(float ours, double exact) {
  const auto near = std::fabs(static_cast<float>(exact));
  const double unit = std::nextafter(near, std::numeric_limits<float>::infinity()) - near;
  return std::fabs(ours - exact) / unit;
}

TEST(VectorMath, ExpIsWithinTwoUlp) {
  double worst = 0;
  for (int i = 0; i <= 870'000; ++i) {
    const float x = static_cast<float>(-i) * 1e-4F;
    worst = std::max(worst, ulps(exp_nonpositive(x), std::exp(static_cast<double>(x))));
  }
  EXPECT_LT(worst, 2);
  EXPECT_EQ(exp_nonpositive(0.0F), 1.0F);
}

TEST(VectorMath, ExpEndsAtZeroAndKeepsNan) {
  EXPECT_EQ(exp_nonpositive(-88.0F), 0.0F);
  EXPECT_EQ(exp_nonpositive(-1e30F), 0.0F);
  EXPECT_EQ(exp_nonpositive(-std::numeric_limits<float>::infinity()), 0.0F);
  EXPECT_TRUE(std::isnan(exp_nonpositive(std::numeric_limits<float>::quiet_NaN())));
}

TEST(VectorMath, LogIsWithinTwoUlpOverAllMagnitudesAndNextToOne) {
  double worst = 0;
  for (float x = 1.2e-38F; x < 1e38F; x *= 1.0003F) {
    worst = std::max(worst, ulps(log_positive(x), std::log(static_cast<double>(x))));
  }
  for (int i = -1000; i <= 1000; ++i) {
    if (i == 0) continue;
    const float x = 1.0F + static_cast<float>(i) * 1.1920929e-7F * 3;
    worst = std::max(worst, ulps(log_positive(x), std::log(static_cast<double>(x))));
  }
  EXPECT_LT(worst, 2);
  EXPECT_EQ(log_positive(1.0F), 0.0F);
}

}  // namespace
}  // namespace guidegen::vector_math
