#include "guidegen/stages/tiled_autoencoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../bench/allocation_peak.hpp"
#include "core/error_matchers.hpp"
#include "guidegen/nn/blocks.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

using Size = std::array<int64_t, 3>;

constexpr int kLabels = 30;

HdrAutoencoder trained_autoencoder(int64_t blocks, const std::string& norm = "volume") {
  torch::manual_seed(5);
  auto config = toy::tiny_autoencoder();
  config.blocks = blocks;
  config.norm = norm;
  HdrAutoencoder autoencoder(config, kLabels);
  toy::randomize(*autoencoder);
  autoencoder->eval();
  return autoencoder;
}

// Nothing is alike from one side to the other: the statistics of a part are not those of the whole.
Volume slanted_ct(const Size& size) {
  const auto dhw = to_dhw(size);
  auto data = at::empty({1, dhw[0], dhw[1], dhw[2]});
  data.copy_(at::linspace(-1000, 1500, dhw[0]).view({1, -1, 1, 1}) +
             at::linspace(-300, 300, dhw[2]).view({1, 1, 1, -1}));
  torch::manual_seed(2);
  data.add_(at::randn_like(data), 60.0);
  return {data, centered_geometry(size, {2, 2, 2})};
}

Volume random_mask(const Volume& ct) {
  torch::manual_seed(3);
  return {at::randint(kLabels, ct.data.sizes(), at::kByte), ct.geometry};
}

double largest(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

struct TileCase {
  Size size;  // x, y, z
  Size tile;  // D, H, W
  bool keeps_half;
  int64_t blocks;
};

class TiledAutoencoderTest : public ::testing::TestWithParam<std::tuple<TileCase, const char*>> {};

TEST_P(TiledAutoencoderTest, AgreesWithTheWholeVolume) {
  const auto& [test, norm] = GetParam();
  const torch::NoGradGuard no_grad;
  auto autoencoder = trained_autoencoder(test.blocks, norm);
  const auto ct = slanted_ct(test.size);
  const auto mask = random_mask(ct);
  TilePlan plan;
  plan.tile = test.tile;
  plan.keeps_half = test.keeps_half;
  const auto whole = autoencoder->encode(pad_to_multiple(ct.data.unsqueeze(0), 4, -1024.0));
  const auto tiled = encode_tiled(autoencoder, ct, plan);
  ASSERT_EQ(tiled.mean.sizes(), whole.mean.sizes());
  EXPECT_GT(whole.mean.std().item<double>(), 0.1);  // else everything agrees
  EXPECT_LT(largest(tiled.mean, whole.mean), 1e-3 * whole.mean.abs().max().item<double>());
  EXPECT_LT(largest(tiled.log_variance, whole.log_variance), 1e-2);
  for (const Volume* guide : {static_cast<const Volume*>(nullptr), &mask}) {
    const auto labels = guide ? pad_to_multiple(guide->data, 4, 0) : at::Tensor();
    const auto expected = autoencoder->decode(whole.mean, labels).hu[0];
    const auto made = decode_tiled(autoencoder, whole.mean, guide, ct.geometry, plan);
    const auto dhw = to_dhw(test.size);
    EXPECT_GT(expected.std().item<double>(), 5.0);
    EXPECT_LT(
        largest(made.data, expected.slice(1, 0, dhw[0]).slice(2, 0, dhw[1]).slice(3, 0, dhw[2])),
        0.5);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tiles, TiledAutoencoderTest,
    ::testing::Combine(::testing::Values(TileCase{{24, 28, 32}, {16, 16, 16}, true, 2},
                                         TileCase{{24, 28, 32}, {8, 12, 4}, true, 2},
                                         TileCase{{19, 30, 23}, {12, 12, 12}, true, 1},
                                         TileCase{{24, 28, 32}, {16, 16, 16}, false, 2},
                                         TileCase{{19, 30, 23}, {8, 16, 12}, false, 1},
                                         TileCase{{17, 18, 21}, {64, 64, 64}, true, 2},
                                         TileCase{{17, 18, 21}, {64, 64, 64}, false, 2},
                                         TileCase{{3, 5, 40}, {16, 16, 16}, true, 1}),
                       ::testing::Values("volume", "voxel")));

// What training sees of a volume is what is made of it later.
TEST(HdrAutoencoder, NormsOfVoxelsTreatACropLikeTheVolume) {
  const torch::NoGradGuard no_grad;
  const auto hu = slanted_ct({48, 48, 48}).data.unsqueeze(0);
  const auto inner = [](const at::Tensor& z) {  // away from the crop's faces
    return z.slice(2, 4, -4).slice(3, 4, -4).slice(4, 4, -4);
  };
  for (const std::string norm : {"voxel", "volume"}) {
    auto autoencoder = trained_autoencoder(1, norm);
    const auto crop = autoencoder->encode(hu.slice(2, 0, 40).slice(3, 4, 44).slice(4, 8, 48)).mean;
    const auto whole = autoencoder->encode(hu).mean.slice(2, 0, 10).slice(3, 1, 11).slice(4, 2, 12);
    const double off = largest(inner(crop), inner(whole));
    if (norm == "voxel") {
      EXPECT_LT(off, 1e-4);
    } else {
      EXPECT_GT(off, 1e-3);
    }
  }
}

TEST(TiledAutoencoder, CountsItsTiles) {
  auto autoencoder = trained_autoencoder(1);
  const auto ct = slanted_ct({24, 16, 16});
  TilePlan plan;
  plan.tile = {16, 16, 16};
  std::vector<int64_t> done, totals;
  const auto watch = [&](int64_t now, int64_t total) {
    done.push_back(now);
    totals.push_back(total);
  };
  const auto posterior = encode_tiled(autoencoder, ct, plan, watch);
  EXPECT_EQ(done.back(), totals.back());
  EXPECT_EQ(done.size(), static_cast<size_t>(totals.back()));
  done.clear();
  decode_tiled(autoencoder, posterior.mean, nullptr, ct.geometry, plan, watch);
  EXPECT_EQ(done.back(), totals.back());
}

TEST(TiledAutoencoder, RefusesLatentsAndMasksOfAnotherSize) {
  auto autoencoder = trained_autoencoder(1);
  const auto ct = slanted_ct({16, 16, 16});
  const auto plan = plan_tiles(autoencoder->config(), {16, 16, 16}, TiledWork::kDecode);
  EXPECT_THAT(
      [&] {
        decode_tiled(autoencoder, at::zeros({1, 4, 4, 4, 5}), nullptr, ct.geometry, plan);
      },
      throws_failure(::testing::HasSubstr("expected [1, 4, 4, 4, 4]")));
  const auto other = random_mask(slanted_ct({16, 16, 20}));
  EXPECT_THAT(
      [&] {
        decode_tiled(autoencoder, at::zeros({1, 4, 4, 4, 4}), &other, ct.geometry, plan);
      },
      throws_failure(::testing::HasSubstr("mask")));
}

TEST(TilePlan, SaysTheLeastThatWouldDo) {
  const HdrAutoencoderConfig config;
  constexpr int64_t kTooLittle = int64_t{64} << 20;
  EXPECT_THAT(
      [&] {
        plan_tiles(config, {256, 256, 256}, TiledWork::kEncode, kTooLittle);
      },
      throws_usage(::testing::MatchesRegex(
          "memory: 64 MiB are too little for a CT of 256 x 256 x 256 voxels, expected at "
          "least [0-9.]+ .iB")));
  // The tiles shrink before activations are given up, and all keep within the limit.
  bool kept = true;
  double last_tile = 1e9;
  for (int64_t memory = kDefaultMemory; memory > int64_t{1100} << 20; memory = memory * 7 / 8) {
    const auto plan = plan_tiles(config, {256, 256, 300}, TiledWork::kReconstruct, memory);
    EXPECT_LE(plan.bytes, memory);
    EXPECT_TRUE(kept || !plan.keeps_half);
    const auto tile = static_cast<double>(plan.tile[0]);
    if (kept == plan.keeps_half) {
      EXPECT_LE(tile, last_tile);
    }
    last_tile = tile;
    kept = plan.keeps_half;
  }
  EXPECT_FALSE(kept);
}

// From the fastest to the least.
std::vector<TilePlan> all_plans(const HdrAutoencoderConfig& config, const Size& size,
                                TiledWork work) {
  std::vector<TilePlan> plans = {plan_tiles(config, size, work)};
  try {
    for (;;) plans.push_back(plan_tiles(config, size, work, plans.back().bytes - 1));
  } catch (const Error&) {
  }
  return plans;
}

TEST(TilePlan, StatesTheMemoryBeforehand) {
  HdrAutoencoderConfig config;
  config.half_width = 24;
  config.quarter_width = 48;
  config.full_width = 12;
  const Size size = {72, 72, 72};
  HdrAutoencoder autoencoder(config, kLabels);
  const auto ct = slanted_ct(size);
  const auto mask = random_mask(ct);
  auto& peak = bench::AllocationPeak::instance();
  for (const auto work : {TiledWork::kEncode, TiledWork::kDecode}) {
    const auto plans = all_plans(config, size, work);
    ASSERT_GE(plans.size(), 3U);
    for (const auto& plan : {plans.front(), plans[plans.size() / 2], plans.back()}) {
      peak.reset();
      if (work == TiledWork::kEncode) {
        encode_tiled(autoencoder, ct, plan);
      } else {
        decode_tiled(autoencoder, at::zeros({1, 4, 18, 18, 18}), &mask, ct.geometry, plan);
      }
      const auto images = work == TiledWork::kEncode ? ct.data.nbytes() : mask.data.nbytes();
      const auto measured = static_cast<double>(peak.peak()) + static_cast<double>(images);
      const auto stated = static_cast<double>(plan.bytes - kProgramBytes);
      EXPECT_LE(measured, stated) << plan.tile[0] << plan.keeps_half;
      // Small tiles add what small convolutions may take, which depends on their exact sizes.
      if (plan.bytes == plans.front().bytes) {
        EXPECT_GE(2 * measured, stated);
      }
    }
  }
}

}  // namespace
}  // namespace guidegen
