#include "guidegen/diffusion/noise_schedule.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(NoiseSchedule, FallsStrictlyFromOne) {
  for (const char* kind : {"cosine", "linear"}) {
    for (const int64_t steps : {1, 2, 8, 50, 1000, 4000}) {
      const NoiseSchedule schedule(kind, steps);
      SCOPED_TRACE(::testing::Message() << kind << " " << steps);
      EXPECT_EQ(schedule.steps(), steps);
      EXPECT_EQ(schedule.alpha_bar(0), 1.0);
      for (int64_t t = 1; t <= steps; ++t) {
        ASSERT_LT(schedule.alpha_bar(t), schedule.alpha_bar(t - 1)) << t;
        ASSERT_GE(schedule.alpha_bar(t), 1e-5) << t;
      }
    }
  }
}

TEST(NoiseSchedule, CosineFollowsItsFormula) {
  const NoiseSchedule schedule("cosine", 1000);
  const auto f = [](double time) {
    return std::pow(std::cos((time + 0.008) / 1.008 * std::numbers::pi / 2), 2);
  };
  for (const int64_t t : {1, 250, 500, 900}) {
    EXPECT_THAT(schedule.alpha_bar(t), DoubleNear(f(t / 1000.0) / f(0), 1e-12));
  }
}

TEST(NoiseSchedule, LinearFollowsItsProduct) {
  const NoiseSchedule schedule("linear", 1000);
  EXPECT_THAT(schedule.alpha_bar(1), DoubleNear(1 - 1e-4, 1e-12));
  EXPECT_THAT(schedule.alpha_bar(2), DoubleNear((1 - 1e-4) * (1 - 1e-4 - 0.0199 / 999), 1e-12));
  // The value at the end of the published schedule.
  EXPECT_THAT(schedule.alpha_bar(1000), DoubleNear(4.0358e-5, 1e-8));
}

TEST(NoiseSchedule, StridesEvenlyFromTheEndToZero) {
  const NoiseSchedule schedule("cosine", 1000);
  EXPECT_THAT(schedule.strided(1), ElementsAre(1000, 0));
  EXPECT_THAT(schedule.strided(4), ElementsAre(1000, 750, 500, 250, 0));
  const NoiseSchedule odd("cosine", 7);
  EXPECT_THAT(odd.strided(7), ElementsAre(7, 6, 5, 4, 3, 2, 1, 0));
  for (int64_t count = 1; count <= 7; ++count) {
    const auto times = odd.strided(count);
    ASSERT_EQ(times.size(), static_cast<size_t>(count) + 1);
    for (size_t i = 1; i < times.size(); ++i) EXPECT_LT(times[i], times[i - 1]) << count;
  }
}

TEST(NoiseSchedule, AnExponentPutsMoreStepsWhereLittleSignalIsLeft) {
  const NoiseSchedule schedule("cosine", 1000);
  // Quantiles of a density in proportion to t: 1000 sqrt(i / 4).
  EXPECT_THAT(schedule.strided(4, 1.0), ElementsAre(1000, 866, 707, 500, 0));
  for (const int64_t count : {1, 20, 500, 999, 1000}) {
    const auto times = schedule.strided(count, 3.0);
    ASSERT_EQ(times.size(), static_cast<size_t>(count) + 1);
    EXPECT_EQ(times.front(), 1000);
    EXPECT_EQ(times.back(), 0);
    for (size_t i = 1; i < times.size(); ++i) ASSERT_LT(times[i], times[i - 1]) << count;
  }
}

TEST(NoiseSchedule, RefusesWhatItCannotDo) {
  EXPECT_THAT([] { NoiseSchedule("quadratic", 10); },
              ThrowsMessage<Error>(HasSubstr("expected cosine or linear")));
  EXPECT_THROW(NoiseSchedule("cosine", 0), Error);
  EXPECT_THROW(NoiseSchedule("cosine", 10).strided(11), Error);
  EXPECT_THROW(NoiseSchedule("cosine", 10).strided(0), Error);
}

}  // namespace
}  // namespace guidegen
