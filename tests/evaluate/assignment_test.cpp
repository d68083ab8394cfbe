#include "guidegen/evaluate/assignment.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "core/error_matchers.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {
namespace {

using Matrix = std::vector<std::vector<double>>;

/// The least cost over all ways to pair min(rows, columns) of them, by trying every order.
double least_cost_by_trying(const Matrix& cost) {
  const size_t rows = cost.size();
  const size_t columns = cost.front().size();
  std::vector<size_t> order(std::max(rows, columns));
  std::iota(order.begin(), order.end(), size_t{0});
  double least = std::numeric_limits<double>::infinity();
  do {
    double sum = 0;
    for (size_t i = 0; i < rows; ++i) sum += order[i] < columns ? cost[i][order[i]] : 0;
    least = std::min(least, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

TEST(Assignment, CostsWhatTheBestOfAllPairingsCosts) {
  RandomStream stream(1, "assignment", "test");
  for (int i = 0; i < 300; ++i) {
    const auto rows = static_cast<size_t>(1 + stream.integer(6));
    const auto columns = static_cast<size_t>(1 + stream.integer(6));
    Matrix cost(rows, std::vector<double>(columns));
    for (auto& row : cost) {
      // Few different values, so that ties are frequent.
      for (double& value : row) value = static_cast<double>(stream.integer(8)) - 2;
    }
    const auto chosen = assign_at_least_cost(cost);
    std::set<size_t> taken;
    double sum = 0;
    for (size_t row = 0; row < rows; ++row) {
      if (!chosen[row]) continue;
      EXPECT_TRUE(taken.insert(*chosen[row]).second) << "column taken twice";
      sum += cost[row].at(*chosen[row]);
    }
    EXPECT_EQ(taken.size(), std::min(rows, columns));
    EXPECT_DOUBLE_EQ(sum, least_cost_by_trying(cost));
  }
}

TEST(Assignment, NoRowsOrNoColumns) {
  EXPECT_TRUE(assign_at_least_cost({}).empty());
  EXPECT_THAT(assign_at_least_cost({{}, {}}), ::testing::ElementsAre(std::nullopt, std::nullopt));
  EXPECT_THAT(
      [] {
        assign_at_least_cost({{1, 2}, {1}});
      },
      throws_failure(::testing::HasSubstr("expected 2")));
}

}  // namespace
}  // namespace guidegen
