#include "guidegen/evaluate/bootstrap.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "guidegen/core/random_stream.hpp"

namespace guidegen {
namespace {

TEST(Bootstrap, QuantilesAreInterpolated) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0), 1);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 1), 4);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.1), 1.3);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.3), 7);
}

TEST(Bootstrap, IntervalOfAMeanIsThatOfTheNormalDistribution) {
  RandomStream stream(3, "values", "test");
  std::vector<double> values(400);
  double sum = 0;
  double squares = 0;
  for (double& value : values) {
    value = stream.normal(10, 3);
    sum += value;
    squares += value * value;
  }
  const auto n = static_cast<double>(values.size());
  const double mean = sum / n;
  const double error = std::sqrt((squares / n - mean * mean) / n);
  const auto intervals = bootstrap_intervals(values.size(), [&](const std::vector<size_t>& draw) {
    double total = 0;
    for (const size_t index : draw) total += values.at(index);
    return std::vector<double>{total / n, static_cast<double>(draw.size())};
  });
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_NEAR(intervals[0].first, mean - 1.96 * error, 0.25 * error);
  EXPECT_NEAR(intervals[0].second, mean + 1.96 * error, 0.25 * error);
  EXPECT_EQ(intervals[1], std::make_pair(n, n));
}

TEST(Bootstrap, SameSeedSameIntervals) {
  const auto intervals_of = [](uint64_t seed) {
    return bootstrap_intervals(9,
                               [](const std::vector<size_t>& draw) {
                                 double sum = 0;
                                 for (const size_t index : draw)
                                   sum += std::sqrt(static_cast<double>(index));
                                 return std::vector<double>{sum};
                               },
                               {50, seed});
  };
  EXPECT_EQ(intervals_of(1), intervals_of(1));
  EXPECT_NE(intervals_of(1), intervals_of(2));
}

TEST(Bootstrap, DrawsWithoutAFigureAreLeftOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto intervals = bootstrap_intervals(2, [&](const std::vector<size_t>& draw) {
    return std::vector<double>{draw[0] == draw[1] ? nan : 5.0, nan};
  });
  EXPECT_EQ(intervals[0], std::make_pair(5.0, 5.0));
  EXPECT_TRUE(std::isnan(intervals[1].first));
  EXPECT_TRUE(bootstrap_intervals(0, [](const auto&) { return std::vector<double>{1}; }).empty());
}

}  // namespace
}  // namespace guidegen
