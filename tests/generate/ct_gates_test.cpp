#include <gmock/gmock.h>

#include "generate/fake_sampler.hpp"
#include "guidegen/generate/gates.hpp"

namespace guidegen {
namespace {

using testing_support::prompt_named;

/// A liver that fills the grid but for a cube of tumor; all of a kind have one density.
class CtGates : public testing::Test {
 protected:
  CtGates() {
    mask_ = {at::full({1, 16, 16, 16}, vocabulary_.id("liver"), at::kByte),
             centered_geometry({16, 16, 16}, {5, 5, 5})};
    mask_.data.slice(1, 6, 9).slice(2, 6, 9).slice(3, 6, 9).fill_(vocabulary_.tumor());
    prompt_.contrast = ContrastPhase::kPortalVenous;
  }
  Json check(double liver_hu, double tumor_hu, const std::string& name) {
    const at::Tensor tumor = mask_.data.eq(vocabulary_.tumor());
    const Volume ct{
        at::full(mask_.data.sizes(), liver_hu, at::kFloat).masked_fill_(tumor, tumor_hu),
        mask_.geometry};
    for (const Gate& gate :
         check_ct(ct, mask_, prompt_, find_tumors(mask_, vocabulary_), vocabulary_, settings_)) {
      if (gate.name == name) return to_json(gate);
    }
    return {};
  }
  bool hu_passes(double liver_hu) { return check(liver_hu, liver_hu, "organ_hu")["passed"]; }
  bool visible(double liver_hu, double tumor_hu) {
    return check(liver_hu, tumor_hu, "tumor_visible")["passed"];
  }

  Vocabulary vocabulary_ = Vocabulary::load("torso");
  GateSettings settings_ = GateSettings::shipped();
  Prompt prompt_ = prompt_named("case");
  Volume mask_;
};

// Published for the liver: 57 HU native, 110 portal venous, spread 14; three of it are 42.
TEST_F(CtGates, TheMedianHasToFitThePhase) {
  EXPECT_TRUE(hu_passes(110));
  EXPECT_TRUE(hu_passes(68));
  EXPECT_FALSE(hu_passes(67));
  EXPECT_TRUE(hu_passes(152));
  EXPECT_FALSE(hu_passes(153));
  prompt_.contrast = ContrastPhase::kNone;
  EXPECT_TRUE(hu_passes(67));
  EXPECT_FALSE(hu_passes(110));
}

TEST_F(CtGates, AnOpenPhaseAllowsThoseOfAll) {
  prompt_.contrast.reset();
  EXPECT_TRUE(hu_passes(15));
  EXPECT_FALSE(hu_passes(14));
  EXPECT_TRUE(hu_passes(152));
}

TEST_F(CtGates, SayWhatWasMeasuredAndTheLimits) {
  const Json gate = check(200, 200, "organ_hu");
  EXPECT_EQ(gate["action"], "report");
  EXPECT_EQ(gate["measured"].dump(), R"({"organs":0,"outside":["liver"]})");
  EXPECT_EQ(gate["details"]["liver"].dump(),
            R"({"median_hu":200.0,"low_hu":68.0,"high_hu":152.0})");
}

TEST_F(CtGates, ATumorIsDarkerOrBrighterThanItsHost) {
  EXPECT_FALSE(visible(110, 110));
  EXPECT_FALSE(visible(110, 111));
  EXPECT_TRUE(visible(110, 112));
  EXPECT_TRUE(visible(110, 90));
  EXPECT_EQ(check(110, 90, "tumor_visible")["details"].dump(),
            R"([{"organ":"liver","contrast_hu":20.0}])");
}

TEST_F(CtGates, WhatIsNoNumberPassesNothing) {
  EXPECT_FALSE(visible(110, NAN));
  EXPECT_EQ(check(NAN, NAN, "organ_hu")["measured"]["organs"], 0);
}

TEST_F(CtGates, SmallTumorsAndOrgansAreNotJudged) {
  settings_.tumor_visible.min_voxels = 28;
  EXPECT_TRUE(check(110, 110, "tumor_visible").is_null());
  settings_.organ_hu.min_voxels = 16 * 16 * 16;
  EXPECT_TRUE(check(0, 0, "organ_hu").is_null());
}

TEST_F(CtGates, WhatIsOffIsNotMeasured) {
  settings_.organ_hu.action = settings_.tumor_visible.action = GateAction::kOff;
  EXPECT_TRUE(check(0, 0, "organ_hu").is_null());
  EXPECT_TRUE(check(110, 110, "tumor_visible").is_null());
}

}  // namespace
}  // namespace guidegen
