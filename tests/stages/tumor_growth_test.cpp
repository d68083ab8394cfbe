#include "guidegen/stages/tumor_growth.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <numbers>

#include "guidegen/volume/components.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

constexpr int64_t kTumor = 2;

class TumorGrowth : public ::testing::Test {
 protected:
  TumorGrowth()
      : geometry_(centered_geometry({30, 28, 26}, {4, 5, 6})),
        mask_(torch::ones({26, 28, 30}, at::kByte)),
        score_(torch::full({26, 28, 30}, -3.0)) {}

  void grow(const TumorPlan& plan, const at::Tensor& blocked = {}) {
    grow_tumors(mask_, score_, blocked, plan, geometry_, kTumor);
  }
  std::vector<Component> pieces() const {
    return find_components({mask_.unsqueeze(0), geometry_}, kTumor);
  }
  static PlannedTumor at(const Vec3& center, double diameter) {
    return {TumorOrgan::kLiver, TumorPosition::kLiverRight, center, diameter};
  }

  ImageGeometry geometry_;
  at::Tensor mask_, score_;
};

TEST_F(TumorGrowth, PiecesHaveThePlannedVolumeAndAreConnected) {
  torch::manual_seed(1);
  score_ = torch::randn({26, 28, 30});  // a network in doubt
  grow({at({-20, 10, 0}, 30), at({25, -15, 20}, 18), at({20, 20, -40}, 12)});
  const auto found = pieces();
  ASSERT_EQ(found.size(), 3U);
  const double half_voxel_ml = 0.5 * 4 * 5 * 6 / 1000.0;
  const std::vector<double> planned{30, 18, 12};
  for (size_t i = 0; i < 3; ++i) {
    const double ml = std::numbers::pi / 6 * std::pow(planned[i], 3) / 1000;
    EXPECT_NEAR(found[i].volume_ml, ml, half_voxel_ml + 1e-9);
  }
}

TEST_F(TumorGrowth, SmallTumorsGetTwoVoxels) {
  grow({at({0, 0, 0}, 3)});
  ASSERT_EQ(pieces().size(), 1U);
  EXPECT_EQ(pieces()[0].voxels, 2);
}

TEST_F(TumorGrowth, FollowsTheScore) {
  const auto likely = score_.slice(0, 8, 18).slice(1, 12, 17).slice(2, 12, 18);
  likely.fill_(2.0);  // an oblong of 300 voxels
  const double diameter = std::cbrt(6 / std::numbers::pi * 300 * 4 * 5 * 6);
  grow({at({0, 0, 0}, diameter)});
  const auto inside = mask_.slice(0, 8, 18).slice(1, 12, 17).slice(2, 12, 18).eq(kTumor);
  EXPECT_EQ(inside.sum().item<int64_t>(), mask_.eq(kTumor).sum().item<int64_t>());
  EXPECT_GT(inside.sum().item<int64_t>(), 290);
}

TEST_F(TumorGrowth, NeighborsNeverTouch) {
  score_.fill_(3.0);
  grow({at({-9, 0, 0}, 24), at({9, 0, 0}, 24)});
  EXPECT_EQ(pieces().size(), 2U);
}

TEST_F(TumorGrowth, StaysOutOfBlockedVoxelsAndAwayFromTumorsThatAreThere) {
  auto blocked = torch::zeros({26, 28, 30}, at::kBool);
  blocked.slice(2, 0, 15).fill_(true);
  mask_[13][14][20] = kTumor;
  grow({at({0, 0, 0}, 30)}, blocked);
  EXPECT_EQ(mask_.slice(2, 0, 15).eq(kTumor).sum().item<int64_t>(), 0);
  const auto found = pieces();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].voxels, 1) << "what was there joined what grew";
}

TEST_F(TumorGrowth, LeavesOutTumorsWithoutRoomAndGivenOnes) {
  auto given = at({0, 0, 0}, 20);
  given.given = true;
  grow({given});
  grow({at({0, 0, 0}, 20)}, torch::ones({26, 28, 30}, at::kBool));
  EXPECT_TRUE(pieces().empty());
}

}  // namespace
}  // namespace guidegen
