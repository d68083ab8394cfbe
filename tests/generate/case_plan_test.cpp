#include "guidegen/generate/case_plan.hpp"

#include <gmock/gmock.h>

#include "generate/fake_sampler.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::prompt_named;

std::vector<std::string> selected_ids(const std::vector<PlannedCase>& plan) {
  std::vector<std::string> ids;
  for (const PlannedCase& planned : plan) {
    if (planned.selected) ids.push_back(planned.id);
  }
  return ids;
}

std::string message_of(const std::vector<Prompt>& prompts, const CaseSelection& selection) {
  try {
    plan_cases(prompts, selection, "p.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(CasePlan, NumbersSamplesAndCountsSeedsUp) {
  Prompt two = prompt_named("b", 40);
  two.samples = 2;
  const auto plan = plan_cases({prompt_named("a", 7), two}, {}, "p.json");
  EXPECT_THAT(selected_ids(plan), ElementsAre("a", "b-s01", "b-s02"));
  EXPECT_EQ(plan[0].prompt.seed, 7U);
  EXPECT_EQ(plan[1].prompt.seed, 40U);
  EXPECT_EQ(plan[2].prompt.seed, 41U);
  EXPECT_EQ(plan[2].prompt.id, "b-s02");
  EXPECT_EQ(plan[2].prompt.samples, 1);
  EXPECT_EQ(plan[2].source, "b");
}

TEST(CasePlan, SelectionKeepsThePlanAndItsSeeds) {
  const std::vector<Prompt> prompts = {prompt_named("a"), prompt_named("b"), prompt_named("c")};
  CaseSelection selection;
  selection.samples = 2;
  selection.only = {"c", "a-s02"};
  const auto plan = plan_cases(prompts, selection, "p.json");
  EXPECT_EQ(plan.size(), 6U);
  EXPECT_THAT(selected_ids(plan), ElementsAre("a-s02", "c-s01", "c-s02"));
  selection.limit = 2;
  EXPECT_THAT(selected_ids(plan_cases(prompts, selection, "p.json")),
              ElementsAre("a-s02", "c-s01"));
}

TEST(CasePlan, RefusesIdsThatMeet) {
  Prompt sampled = prompt_named("a");
  sampled.samples = 2;
  EXPECT_THAT(message_of({sampled, prompt_named("a-s01")}, {}), HasSubstr("'a-s01'"));
}

TEST(CasePlan, RefusesNamesOfFilesOfTheFolder) {
  for (const char* id : {"index.html", "manifest.jsonl", "manifest-00001.jsonl", "labels.ctbl"}) {
    EXPECT_THAT(message_of({prompt_named(id)}, {}), HasSubstr(id));
  }
}

TEST(CasePlan, UnknownIdNamesTheNearest) {
  CaseSelection selection;
  selection.only = {"case-0O1"};
  EXPECT_THAT(message_of({prompt_named("case-001")}, selection),
              HasSubstr("did you mean 'case-001'"));
}

TEST(CasePlan, AttemptSeedsDependOnSeedIdAndAttemptAlone) {
  const auto plan = plan_cases({prompt_named("a", 5), prompt_named("b", 5)}, {}, "p.json");
  EXPECT_EQ(attempt_seed(plan[0], 0), 5U);
  EXPECT_EQ(attempt_seed(plan[0], 2), attempt_seed(plan[0], 2));
  EXPECT_NE(attempt_seed(plan[0], 1), attempt_seed(plan[0], 2));
  EXPECT_NE(attempt_seed(plan[0], 1), attempt_seed(plan[1], 1));
  EXPECT_LT(attempt_seed(plan[0], 1), uint64_t{1} << 53);
}

}  // namespace
}  // namespace guidegen
