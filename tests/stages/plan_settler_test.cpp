#include "guidegen/stages/plan_settler.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

// A trunk with kidneys left and right and lungs above.
class PlanSettlerTest : public ::testing::Test {
 protected:
  PlanSettlerTest()
      : vocabulary_(Vocabulary::load("torso")),
        geometry_(centered_geometry({40, 30, 40}, {6, 6, 6})),
        anatomy_(torch::full({40, 30, 40}, vocabulary_.body(), at::kByte)) {
    torch::manual_seed(2);
    planner_ = TumorPlanner();
    // x grows towards the patient's right.
    paint("kidney_left", 8, 16, 8, 20, 8, 18);
    paint("kidney_right", 24, 32, 8, 20, 8, 18);
    paint("lung_upper_left", 4, 17, 5, 25, 22, 38);
  }
  void paint(const std::string& label, int64_t x0, int64_t x1, int64_t y0, int64_t y1, int64_t z0,
             int64_t z1) {
    anatomy_.slice(0, z0, z1).slice(1, y0, y1).slice(2, x0, x1).fill_(vocabulary_.id(label));
  }
  PlanSettler settler(const at::Tensor& blocked = {}) const {
    return {planner_, Prompt{}, geometry_, vocabulary_, RandomStream(4, "case", "settle"), blocked};
  }
  int label_at(const PlannedTumor& tumor) const {
    std::array<int64_t, 3> at{};
    for (size_t k = 0; k < 3; ++k) {
      at[k] = std::llround(tumor.center_mm[k] / geometry_.spacing[k] +
                           0.5 * double(geometry_.size[k] - 1));
    }
    return anatomy_[at[2]][at[1]][at[0]].item<int>();
  }

  Vocabulary vocabulary_;
  ImageGeometry geometry_;
  at::Tensor anatomy_;
  TumorPlanner planner_{nullptr};
  const PlannedTumor in_left_kidney_{
      TumorOrgan::kKidney, TumorPosition::kKidneyLeft, {-45, -35, -45}, 24};
};

TEST_F(PlanSettlerTest, LeavesTumorsThatAreWhereTheyWereAskedFor) {
  TumorPlan plan = {in_left_kidney_};
  ASSERT_EQ(label_at(plan[0]), vocabulary_.id("kidney_left"));
  EXPECT_FALSE(settler().settle(plan, anatomy_));
  EXPECT_EQ(plan[0].center_mm, in_left_kidney_.center_mm);
}

TEST_F(PlanSettlerTest, MovesTumorsOutOfTheWrongOrgan) {
  TumorPlan plan = {in_left_kidney_};
  plan[0].center_mm = {-45, 0, 60};  // the lung
  const auto before = anatomy_.clone();
  EXPECT_TRUE(settler().settle(plan, anatomy_));
  EXPECT_EQ(label_at(plan[0]), vocabulary_.id("kidney_left"));
  EXPECT_EQ(plan[0].diameter_mm, in_left_kidney_.diameter_mm);
  EXPECT_TRUE(anatomy_.equal(before)) << "the anatomy is input alone";
}

TEST_F(PlanSettlerTest, MovesTumorsToTheRightSideAndApart) {
  TumorPlan plan(3, in_left_kidney_);
  for (auto& tumor : plan) tumor.diameter_mm = 14;
  plan[0].center_mm = {50, -35, -45};  // the other kidney
  plan[1].center_mm = {55, 35, -20};   // nowhere
  EXPECT_TRUE(settler().settle(plan, anatomy_));
  for (size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(label_at(plan[i]), vocabulary_.id("kidney_left")) << i;
    TumorPlan others = plan;
    others.erase(others.begin() + std::ptrdiff_t(i));
    EXPECT_TRUE(has_room(plan[i], others, geometry_)) << i;
  }
}

TEST_F(PlanSettlerTest, LeavesGivenTumorsAndThoseWithoutHost) {
  TumorPlan plan = {in_left_kidney_, in_left_kidney_};
  plan[0].given = true;
  plan[0].center_mm = {50, 35, 60};
  plan[1] = {TumorOrgan::kPancreas, TumorPosition::kPancreasHead, {0, 0, 0}, 20};
  EXPECT_FALSE(settler().settle(plan, anatomy_)) << "there is no pancreas";
  EXPECT_EQ(plan[0].center_mm, (Vec3{50, 35, 60}));
}

TEST_F(PlanSettlerTest, KeepsBlockedVoxelsFree) {
  auto blocked = torch::zeros({40, 30, 40}, at::kBool);
  blocked.slice(1, 14, 30).fill_(true);
  TumorPlan plan = {in_left_kidney_};
  plan[0].diameter_mm = 14;
  plan[0].center_mm = {-45, 0, -45};  // y index 14.5
  EXPECT_TRUE(settler(blocked).settle(plan, anatomy_));
  EXPECT_LT(plan[0].center_mm[1] + 7, (14 - 14.5) * 6 + 3);
}

TEST_F(PlanSettlerTest, KeepsTumorsInsideTheBody) {
  paint("background", 0, 40, 0, 30, 36, 40);
  TumorPlan plan = {
      {TumorOrgan::kLung, TumorPosition::kLungLeftUpper, {-55, 0, (36 - 19.5) * 6}, 30}};
  EXPECT_TRUE(settler().settle(plan, anatomy_));
  EXPECT_LT(plan[0].center_mm[2] + 15, (36 - 19.5) * 6 + 6);
}

TEST_F(PlanSettlerTest, IsAFunctionOfTheStream) {
  TumorPlan first = {in_left_kidney_};
  first[0].center_mm = {0, 0, 0};
  TumorPlan second = first;
  settler().settle(first, anatomy_);
  settler().settle(second, anatomy_);
  EXPECT_EQ(first[0].center_mm, second[0].center_mm);
}

}  // namespace
}  // namespace guidegen
