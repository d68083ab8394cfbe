#include "guidegen/evaluate/overlap.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "core/error_matchers.hpp"
#include "guidegen/core/random_stream.hpp"
#include "guidegen/evaluate/bootstrap.hpp"

namespace guidegen {
namespace {

using Point = std::array<int64_t, 3>;

at::Tensor box(const std::array<int64_t, 3>& low, const std::array<int64_t, 3>& high) {
  at::Tensor where = at::zeros({12, 14, 16}, at::kBool);
  where.slice(0, low[0], high[0]).slice(1, low[1], high[1]).slice(2, low[2], high[2]).fill_(true);
  return where;
}

/// Surface voxels one by one, with what lies beyond the volume as outside.
std::vector<Point> surface_of(const at::Tensor& where) {
  const auto at = where.accessor<bool, 3>();
  const auto inside = [&](int64_t z, int64_t y, int64_t x) {
    return z >= 0 && y >= 0 && x >= 0 && z < where.size(0) && y < where.size(1) &&
           x < where.size(2) && at[z][y][x];
  };
  std::vector<Point> points;
  for (int64_t z = 0; z < where.size(0); ++z) {
    for (int64_t y = 0; y < where.size(1); ++y) {
      for (int64_t x = 0; x < where.size(2); ++x) {
        const bool buried = inside(z - 1, y, x) && inside(z + 1, y, x) && inside(z, y - 1, x) &&
                            inside(z, y + 1, x) && inside(z, y, x - 1) && inside(z, y, x + 1);
        if (inside(z, y, x) && !buried) points.push_back({z, y, x});
      }
    }
  }
  return points;
}

std::vector<double> distances(const std::vector<Point>& from, const std::vector<Point>& to,
                              const Vec3& spacing) {
  std::vector<double> out;
  for (const Point& a : from) {
    double least = INFINITY;
    for (const Point& b : to) {
      least = std::min(
          least, std::hypot(double(a[0] - b[0]) * spacing[2], double(a[1] - b[1]) * spacing[1],
                            double(a[2] - b[2]) * spacing[0]));
    }
    out.push_back(least);
  }
  return out;
}

TEST(Overlap, OfShiftedBoxes) {
  // 4 x 4 x 4 voxels, moved by one along x: 48 of 64 are shared.
  const auto overlap =
      overlap_of(box({2, 2, 2}, {6, 6, 6}), box({2, 2, 3}, {6, 6, 7}), {2, 1, 1}, 1.9);
  EXPECT_EQ(overlap.wanted_voxels, 64);
  EXPECT_EQ(overlap.found_voxels, 64);
  EXPECT_DOUBLE_EQ(overlap.dice, 2.0 * 48 / 128);
  EXPECT_DOUBLE_EQ(overlap.hd95_mm, 2);
  EXPECT_LT(overlap.surface_dice, 1);
  EXPECT_EQ(
      overlap_of(box({2, 2, 2}, {6, 6, 6}), box({2, 2, 3}, {6, 6, 7}), {2, 1, 1}, 2).surface_dice,
      1);
}

TEST(Overlap, OfEqualAndOfEmptySets) {
  const at::Tensor some = box({0, 0, 0}, {3, 14, 2});  // at the end of the volume
  const at::Tensor none = at::zeros_like(some);
  const auto equal = overlap_of(some, some, {1, 1, 1}, 0);
  EXPECT_EQ(equal.dice, 1);
  EXPECT_EQ(equal.surface_dice, 1);
  EXPECT_EQ(equal.hd95_mm, 0);
  const auto missed = overlap_of(some, none, {1, 1, 1}, 5);
  EXPECT_EQ(missed.dice, 0);
  EXPECT_EQ(missed.surface_dice, 0);
  EXPECT_TRUE(std::isnan(missed.hd95_mm));
  const auto nothing = overlap_of(none, none, {1, 1, 1}, 5);
  EXPECT_TRUE(std::isnan(nothing.dice));
  EXPECT_TRUE(std::isnan(nothing.surface_dice));
  EXPECT_THAT(
      [&] {
        overlap_of(some, some.slice(0, 1), {1, 1, 1}, 1);
      },
      throws_failure(::testing::HasSubstr("shapes")));
}

TEST(Overlap, AgreesWithBruteForceOnRandomSets) {
  RandomStream stream(5, "overlap", "test");
  const Vec3 spacing = {0.7, 1.3, 2.9};
  for (int round = 0; round < 6; ++round) {
    const auto draw = [&](double share) {
      at::Tensor values = at::empty({9, 10, 11});
      stream.fill_uniform(values.data_ptr<float>(), values.numel());
      return at::logical_or(values.lt(share), at::roll(values.lt(share), 1, 2));
    };
    const at::Tensor a = draw(0.02 * (round + 1));
    const at::Tensor b = draw(0.05);
    const auto overlap = overlap_of(a, b, spacing, 2.0);
    const auto there = distances(surface_of(a), surface_of(b), spacing);
    const auto back = distances(surface_of(b), surface_of(a), spacing);
    const auto near = [](const std::vector<double>& list) {
      return std::count_if(list.begin(), list.end(), [](double d) { return d <= 2.0 + 1e-6; });
    };
    EXPECT_NEAR(overlap.hd95_mm, std::max(quantile(there, 0.95), quantile(back, 0.95)), 1e-9);
    EXPECT_NEAR(overlap.surface_dice,
                double(near(there) + near(back)) / double(there.size() + back.size()), 1e-12);
  }
}

}  // namespace
}  // namespace guidegen
