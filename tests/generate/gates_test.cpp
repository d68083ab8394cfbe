#include "guidegen/generate/gates.hpp"

#include <gmock/gmock.h>

#include "generate/fake_sampler.hpp"

namespace guidegen {
namespace {

using testing_support::FakeSampler;
using testing_support::prompt_named;
using testing_support::tumor_in;

/// Draws what `drawn` asks for and checks it against `asked`.
GateReport check(const std::vector<TumorRequest>& drawn,
                 const std::optional<std::vector<TumorRequest>>& asked) {
  FakeSampler sampler;
  Prompt prompt = prompt_named("case");
  prompt.tumors = drawn;
  const Volume mask = sampler.sample_mask(prompt, "case", 1, {});
  prompt.tumors = asked;
  GateSettings settings = testing_support::fake_gates();
  settings.organs_present.action = GateAction::kOff;
  return check_mask(mask, prompt, sampler.default_geometry(), sampler.vocabulary(), settings);
}

const Gate& gate(const GateReport& report, const std::string& name) {
  for (const Gate& found : report.gates) {
    if (found.name == name) return found;
  }
  throw std::runtime_error("no gate " + name);
}

const TumorRequest kRightKidney = tumor_in(TumorOrgan::kKidney, TumorPosition::kKidneyRight, 1);
const TumorRequest kLeftKidney = tumor_in(TumorOrgan::kKidney, TumorPosition::kKidneyLeft, 1);
const TumorRequest kTwoRight = tumor_in(TumorOrgan::kKidney, TumorPosition::kKidneyRight, 2);
const TumorRequest kAnyKidney = tumor_in(TumorOrgan::kKidney);
const TumorRequest kLiver = tumor_in(TumorOrgan::kLiver, {}, 1);

TEST(Gates, OpenPromptHasNoTumorGate) { EXPECT_TRUE(check({kLiver}, std::nullopt).gates.empty()); }

TEST(Gates, PassesWhatWasAskedFor) {
  const GateReport report = check({kRightKidney, kLiver}, {{kRightKidney, kLiver}});
  EXPECT_EQ(report.gates.size(), 3U);
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.penalty(), 0);
  EXPECT_EQ(report.tumors.size(), 2U);
}

TEST(Gates, NoneAskedForMeansNone) {
  EXPECT_TRUE(check({}, {{}}).passed());
  const GateReport report = check({kLiver}, {{}});
  EXPECT_FALSE(gate(report, "tumor_organ").passed());
  EXPECT_EQ(gate(report, "tumor_organ").measured.dump(), R"({"liver":1})");
}

TEST(Gates, OrganThatIsMissingOrExtraFails) {
  EXPECT_EQ(gate(check({}, {{kLiver}}), "tumor_organ").penalty, 1);
  EXPECT_EQ(gate(check({kLiver, kRightKidney}, {{kLiver}}), "tumor_organ").penalty, 1);
  // Missing in one organ and there in another: two things are wrong.
  EXPECT_EQ(gate(check({kRightKidney}, {{kLiver}}), "tumor_organ").penalty, 2);
}

TEST(Gates, CountsExactlyOrAtLeast) {
  EXPECT_FALSE(gate(check({kTwoRight}, {{kRightKidney}}), "tumor_count").passed());
  EXPECT_FALSE(gate(check({kRightKidney}, {{kTwoRight}}), "tumor_count").passed());
  const GateReport open = check({kTwoRight}, {{kAnyKidney}});
  EXPECT_TRUE(open.passed());
  EXPECT_EQ(gate(open, "tumor_count").wanted.dump(), R"({"kidney":"at least 1"})");
}

TEST(Gates, SideMatters) {
  const GateReport report = check({kLeftKidney}, {{kRightKidney}});
  EXPECT_TRUE(gate(report, "tumor_organ").passed());
  EXPECT_TRUE(gate(report, "tumor_count").passed());
  EXPECT_FALSE(gate(report, "tumor_position").passed());
  EXPECT_EQ(gate(report, "tumor_position").measured.dump(), R"({"kidney/left":1})");
}

TEST(Gates, AnOpenPositionTakesAnySide) {
  EXPECT_TRUE(check({kLeftKidney}, {{kAnyKidney}}).passed());
  // One on the right and another anywhere in the kidneys.
  EXPECT_TRUE(check({kRightKidney, kLeftKidney}, {{kRightKidney, kAnyKidney}}).passed());
}

TEST(Gates, MissingOrganIsNamed) {
  FakeSampler sampler;
  const Vocabulary& vocabulary = sampler.vocabulary();
  const Prompt prompt = prompt_named("case");
  const auto checked = [&](const Volume& mask) {
    return check_mask(mask, prompt, sampler.default_geometry(), vocabulary,
                      testing_support::fake_gates());
  };
  Volume mask = sampler.sample_mask(prompt, "case", 1, {});
  EXPECT_TRUE(checked(mask).passed());
  mask.data.masked_fill_(mask.data.eq(vocabulary.id("liver")), vocabulary.body());
  const GateReport report = checked(mask);
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(gate(report, "organs_present").measured["missing"].dump(), R"(["liver"])");
}

TEST(Gates, ASmallFieldOfViewRequiresNoOrgan) {
  FakeSampler sampler;
  const Volume mask = sampler.sample_mask(prompt_named("case"), "case", 1, {});
  ImageGeometry trained = mask.geometry;
  trained.size[2] *= 2;
  EXPECT_TRUE(
      check_mask(mask, prompt_named("case"), trained, sampler.vocabulary(), GateSettings::shipped())
          .gates.empty());
}

}  // namespace
}  // namespace guidegen
