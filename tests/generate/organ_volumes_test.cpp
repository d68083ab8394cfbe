#include <gmock/gmock.h>

#include "generate/fake_sampler.hpp"
#include "guidegen/generate/gates.hpp"

namespace guidegen {
namespace {

using testing_support::prompt_named;

/// A mask of 10 mm voxels (1 ml each) that holds a slab of liver and, on request, tumor on it.
class OrganVolumes : public testing::Test {
 protected:
  OrganVolumes() { settings_.organs_present.action = GateAction::kOff; }

  GateReport check(int64_t liver_ml, int64_t tumor_ml = 0) {
    Volume mask{at::ones({1, 20, 20, 20}, at::kByte),
                centered_geometry({20, 20, 20}, {10, 10, 10})};
    at::Tensor voxels = mask.data.view({-1});
    voxels.slice(0, 0, liver_ml).fill_(vocabulary_.id("liver"));
    voxels.slice(0, liver_ml, liver_ml + tumor_ml).fill_(vocabulary_.tumor());
    return check_mask(mask, prompt_, mask.geometry, vocabulary_, settings_);
  }
  bool passes(int64_t liver_ml, int64_t tumor_ml = 0) { return check(liver_ml, tumor_ml).passed(); }

  Vocabulary vocabulary_ = Vocabulary::load("torso");
  GateSettings settings_ = GateSettings::shipped();
  Prompt prompt_ = prompt_named("case");
};

// Published: 1710 ml (men), 1411 ml (women), CV 0.22. sigma = sqrt(ln(1 + 0.22²)) = 0.21742, four
// of them are a factor of 2.3860.
TEST_F(OrganVolumes, LimitsAreFactorsOfThePublishedVolume) {
  prompt_.sex = Sex::kMale;
  EXPECT_TRUE(passes(1710));
  EXPECT_TRUE(passes(717));
  EXPECT_FALSE(passes(716));
  EXPECT_TRUE(passes(4079));
  EXPECT_FALSE(passes(4081));
}

TEST_F(OrganVolumes, FollowTheSexOrAllowEither) {
  EXPECT_TRUE(passes(592)) << "a small woman's";
  EXPECT_FALSE(passes(590));
  EXPECT_TRUE(passes(4079)) << "a large man's";
  prompt_.sex = Sex::kFemale;
  EXPECT_FALSE(passes(3368));
  EXPECT_TRUE(passes(3366));
}

TEST_F(OrganVolumes, ATumorMayHaveTakenThePlaceOfItsOrgan) {
  EXPECT_FALSE(passes(300));
  EXPECT_TRUE(passes(300, 400));
}

TEST_F(OrganVolumes, SayWhatWasMeasuredAndTheLimits) {
  prompt_.sex = Sex::kMale;
  const GateReport report = check(100);
  ASSERT_EQ(report.gates.size(), 1U);
  const Json gate = to_json(report.gates[0]);
  EXPECT_EQ(gate["name"], "organ_volumes");
  EXPECT_EQ(gate["action"], "retry");
  EXPECT_EQ(gate["passed"], false);
  EXPECT_EQ(gate["measured"].dump(), R"({"organs":0,"outside":["liver"]})");
  EXPECT_EQ(gate["details"]["liver"].dump(), R"({"ml":100.0,"low_ml":716.7,"high_ml":4080.1})");
}

TEST_F(OrganVolumes, ChildrenAreNotJudged) {
  prompt_.age = 17;
  EXPECT_TRUE(check(100).gates.empty());
  prompt_.age = 18;
  EXPECT_FALSE(passes(100));
}

TEST_F(OrganVolumes, ReportingDoesNotFailTheCase) {
  settings_.organ_volumes.action = GateAction::kReport;
  const GateReport report = check(100);
  EXPECT_FALSE(report.gates[0].passed());
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.penalty(), 0);
}

}  // namespace
}  // namespace guidegen
