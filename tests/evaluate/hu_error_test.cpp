#include "guidegen/evaluate/hu_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {
namespace {

struct Plain {
  int64_t voxels = 0;
  double mae = 0;
  double psnr = 0;
};

Plain by_loop(const at::Tensor& reference, const at::Tensor& reconstruction, double low,
              double high) {
  Plain plain;
  double squares = 0;
  const float* a = reference.data_ptr<float>();
  const float* b = reconstruction.data_ptr<float>();
  for (int64_t i = 0; i < reference.numel(); ++i) {
    if (a[i] >= low && a[i] <= high) {
      plain.mae += std::abs(double(a[i]) - double(b[i]));
      ++plain.voxels;
    }
    const double d = std::clamp(double(a[i]), low, high) - std::clamp(double(b[i]), low, high);
    squares += d * d;
  }
  plain.mae /= static_cast<double>(plain.voxels);
  const double mse = squares / static_cast<double>(reference.numel());
  plain.psnr = 10 * std::log10((high - low) * (high - low) / mse);
  return plain;
}

TEST(HuError, AgreesWithPlainLoops) {
  RandomStream stream(3, "hu", "test");
  at::Tensor reference = at::empty({1, 6, 7, 8});
  at::Tensor reconstruction = at::empty({1, 6, 7, 8});
  for (int64_t i = 0; i < reference.numel(); ++i) {
    const double hu = stream.uniform(-1024, 3071);
    reference.data_ptr<float>()[i] = static_cast<float>(hu);
    reconstruction.data_ptr<float>()[i] = static_cast<float>(hu + stream.normal(5, 60));
  }
  const auto exposures = default_exposures();
  const HuErrorReport report = hu_error(reference, reconstruction, exposures);
  ASSERT_EQ(report.windows.size(), exposures.size());
  for (size_t i = 0; i < exposures.size(); ++i) {
    const WindowError& window = report.windows[i];
    EXPECT_EQ(window.name, exposures[i].name);
    EXPECT_EQ(window.high_hu - window.low_hu, exposures[i].width);
    const Plain plain = by_loop(reference, reconstruction, window.low_hu, window.high_hu);
    EXPECT_EQ(window.voxels, plain.voxels);
    EXPECT_NEAR(window.mae_hu, plain.mae, 1e-9);
    EXPECT_NEAR(window.psnr_db, plain.psnr, 1e-9);
  }
  EXPECT_EQ(report.overall.voxels, reference.numel());
}

TEST(HuError, KnownOffsetGivesKnownFigures) {
  const at::Tensor reference = at::zeros({1, 2, 2, 2});
  const HuErrorReport report = hu_error(reference, reference + 40, {{"soft", 40, 400}});
  EXPECT_DOUBLE_EQ(report.windows[0].mae_hu, 40);
  EXPECT_DOUBLE_EQ(report.windows[0].psnr_db, 20);  // 20 log10(400 / 40)
}

TEST(HuError, WhatDoesNotExistIsNull) {
  const at::Tensor air = at::full({1, 2, 2, 2}, -1000.0F);
  const Json json = to_json(hu_error(air, air, {{"soft", 40, 400}}));
  EXPECT_EQ(json["windows"][0]["voxels"], 0);
  EXPECT_TRUE(json["windows"][0]["mae_hu"].is_null());
  EXPECT_TRUE(json["overall"]["psnr_db"].is_null());
  EXPECT_EQ(json["overall"]["mae_hu"], 0.0);
}

TEST(HuError, MismatchEmptyAndNotFiniteAreRefused) {
  const at::Tensor one = at::zeros({1, 1, 1, 1});
  EXPECT_THROW(hu_error(one, at::zeros({1, 1, 1, 2}), {}), Error);
  EXPECT_THROW(hu_error(at::zeros({0}), at::zeros({0}), {}), Error);
  EXPECT_THROW(hu_error(one, one / 0.0, {}), Error);
}

}  // namespace
}  // namespace guidegen
