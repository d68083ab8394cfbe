#include "guidegen/stages/tumor_plan.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace guidegen {
namespace {

Prompt prompt_with(TumorOrgan organ, std::optional<TumorPosition> position, int count,
                   double size) {
  Prompt prompt;
  TumorRequest request;
  request.organ = organ;
  request.position = position;
  request.count = count;
  request.size_mm = size;
  prompt.tumors = {request};
  return prompt;
}

TEST(TumorPlan, RasterHoldsTheBallWhereThePlanSays) {
  const auto geometry = centered_geometry({32, 32, 40}, {6, 6, 6});
  const PlannedTumor tumor{TumorOrgan::kLiver, TumorPosition::kLiverRight, {30, -12, 48}, 36};
  const auto raster = rasterize_plan({tumor}, geometry, 2);
  ASSERT_EQ(raster.sizes(), at::IntArrayRef({kPlanChannels, 20, 16, 16}));
  const auto liver = raster[static_cast<int64_t>(TumorOrgan::kLiver)];
  // Volume of the soft ball within 15 % of that of the planned one.
  const double wanted = std::pow(36.0, 3) * 3.14159265 / 6.0;
  EXPECT_NEAR(liver.sum().item<double>() * std::pow(12.0, 3), wanted, 0.15 * wanted);
  const auto peak = liver.argmax().item<int64_t>();
  const int64_t x = peak % 16, y = peak / 16 % 16, z = peak / 256;
  EXPECT_NEAR((double(x) - 7.5) * 12, 30, 12);
  EXPECT_NEAR((double(y) - 7.5) * 12, -12, 12);
  EXPECT_NEAR((double(z) - 9.5) * 12, 48, 12);
  EXPECT_EQ(raster[static_cast<int64_t>(TumorOrgan::kLung)].abs().sum().item<double>(), 0.0);
}

TEST(TumorPlan, LogOddsFollowTheDistanceToTheNearestBall) {
  const auto geometry = centered_geometry({12, 10, 9}, {6, 5, 8});
  const TumorPlan plan = {{TumorOrgan::kLiver, TumorPosition::kLiverRight, {10, -5, 8}, 30},
                          {TumorOrgan::kKidney, TumorPosition::kKidneyLeft, {-20, 5, -8}, 8}};
  const auto odds = plan_log_odds(plan, geometry);
  ASSERT_EQ(odds.sizes(), at::IntArrayRef({9, 10, 12}));
  for (int z = 0; z < 9; ++z) {
    for (int y = 0; y < 10; ++y) {
      for (int x = 0; x < 12; ++x) {
        double best = -kMaxPlanLogOdds;
        for (const auto& tumor : plan) {
          const double dx = (x - 5.5) * 6 - tumor.center_mm[0];
          const double dy = (y - 4.5) * 5 - tumor.center_mm[1];
          const double dz = (z - 4.0) * 8 - tumor.center_mm[2];
          const double radius = tumor.diameter_mm / 2;
          // 0.2 voxels, which the smaller ball needs: 0.2 * 19 / 3.
          const double edge = std::max(0.13 * radius, 0.2 * 19.0 / 3.0);
          best = std::max(best, (radius - std::sqrt(dx * dx + dy * dy + dz * dz)) / edge);
        }
        EXPECT_NEAR(odds[z][y][x].item<float>(), std::min(best, kMaxPlanLogOdds), 1e-4);
      }
    }
  }
}

TEST(TumorPlan, LogOddsOfAnEmptyPlanAreLowEverywhere) {
  const auto odds = plan_log_odds({}, centered_geometry({4, 5, 6}, {6, 6, 6}));
  EXPECT_EQ(odds.max().item<double>(), -kMaxPlanLogOdds);
}

TEST(TumorPlanner, KeepsWhatThePromptSaysAndTheGapBetweenTumors) {
  torch::manual_seed(1);
  TumorPlanner planner;
  const auto geometry = centered_geometry({64, 64, 80}, {6, 6, 6});
  for (uint64_t seed = 0; seed < 20; ++seed) {
    RandomStream stream(seed, "case", "plan");
    const auto plan = planner->sample(
        prompt_with(TumorOrgan::kKidney, TumorPosition::kKidneyLeft, 3, 20), geometry, stream);
    ASSERT_EQ(plan.size(), 3U);
    for (size_t i = 0; i < plan.size(); ++i) {
      EXPECT_EQ(plan[i].position, TumorPosition::kKidneyLeft);
      EXPECT_EQ(plan[i].diameter_mm, 20);
      for (size_t j = 0; j < i; ++j) {
        double squared = 0;
        for (size_t k = 0; k < 3; ++k) {
          squared += std::pow(plan[i].center_mm[k] - plan[j].center_mm[k], 2);
        }
        EXPECT_GE(std::sqrt(squared), 32.0);  // 20 mm and two voxels
      }
    }
  }
}

TEST(TumorPlanner, PlacesAGroupAnewWhenItsFirstTumorsLeaveNoRoom) {
  torch::manual_seed(1);
  TumorPlanner planner;
  const auto geometry = centered_geometry({26, 26, 26}, {6, 6, 6});
  for (uint64_t seed = 0; seed < 20; ++seed) {
    RandomStream stream(seed, "case", "plan");
    const auto plan = planner->sample(
        prompt_with(TumorOrgan::kLung, TumorPosition::kLungLeftUpper, 4, 50), geometry, stream);
    EXPECT_EQ(plan.size(), 4U) << seed;
  }
}

TEST(TumorPlanner, LeavesOutTumorsThatFitNowhere) {
  torch::manual_seed(1);
  TumorPlanner planner;
  RandomStream stream(1, "case", "plan");
  const auto plan =
      planner->sample(prompt_with(TumorOrgan::kLiver, TumorPosition::kLiverRight, 2, 90),
                      centered_geometry({22, 22, 22}, {6, 6, 6}), stream);
  EXPECT_EQ(plan.size(), 1U);  // of a second one, the center would be out of the field of view
}

TEST(TumorPlanner, NoTumorsAskedMeansNonePlanned) {
  TumorPlanner planner;
  Prompt prompt;
  prompt.tumors = std::vector<TumorRequest>{};
  RandomStream stream(1, "case", "plan");
  EXPECT_TRUE(planner->sample(prompt, centered_geometry({64, 64, 80}, {6, 6, 6}), stream).empty());
}

TEST(TumorPlanner, LearnsWhereTumorsOfAPositionLie) {
  torch::manual_seed(2);
  TumorPlanner planner;
  torch::optim::Adam optimizer(planner->parameters(), torch::optim::AdamOptions(1e-2));
  RandomStream noise(4, "toy", "centers");
  double first = 0, last = 0;
  for (int step = 0; step < 300; ++step) {
    std::vector<Prompt> prompts(8);
    std::vector<TumorPlan> plans;
    for (int i = 0; i < 8; ++i) {
      const bool right = i % 2 == 0;
      plans.push_back({{TumorOrgan::kKidney,
                        right ? TumorPosition::kKidneyRight : TumorPosition::kKidneyLeft,
                        {(right ? 60.0 : -60.0) + noise.normal(0, 5), noise.normal(-40, 5),
                         noise.normal(20, 5)},
                        25.0}});
    }
    const auto loss = planner->loss(prompts, plans);
    if (step == 0) first = loss.item<double>();
    last = loss.item<double>();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  EXPECT_LT(last, first - 3.0);
  RandomStream stream(9, "case", "plan");
  const auto plan =
      planner->sample(prompt_with(TumorOrgan::kKidney, TumorPosition::kKidneyRight, 1, 25),
                      centered_geometry({64, 64, 80}, {6, 6, 6}), stream);
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_NEAR(plan[0].center_mm[0], 60, 25);
  EXPECT_NEAR(plan[0].center_mm[1], -40, 25);
}

}  // namespace
}  // namespace guidegen
