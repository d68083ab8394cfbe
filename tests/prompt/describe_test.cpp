#include <gmock/gmock.h>

#include <functional>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Prompt full_prompt() {
  Prompt prompt;
  prompt.sex = Sex::kMale;
  prompt.age = 62;
  prompt.race = Race::kAsian;
  prompt.contrast = ContrastPhase::kPortalVenous;
  TumorRequest tumor;
  tumor.organ = TumorOrgan::kKidney;
  tumor.position = TumorPosition::kKidneyRight;
  tumor.count = 2;
  tumor.size_mm = 30.04;
  tumor.stage = "T1b";
  prompt.tumors = {tumor};
  return prompt;
}

TEST(Describe, StructuredTemplateNamesEveryField) {
  EXPECT_EQ(describe(full_prompt(), 0),
            "Age: 62. Sex: male. Race: asian. Stage: T1b. Cancer: kidney cancer. Number of tumors: "
            "2. Position: right kidney. Size: 30 mm. Contrast: portal-venous.");
}

TEST(Describe, FreePhrasings) {
  const Prompt prompt = full_prompt();
  EXPECT_EQ(describe(prompt, 1),
            "CT of a 62-year-old Asian man in the portal venous phase. Two 30 mm tumors in the "
            "right kidney (T1b).");
  EXPECT_EQ(describe(prompt, 2),
            "Clinical information: male, 62 years, Asian. Technique: CT of the torso in the portal "
            "venous phase. Findings: two 30 mm lesions in the right kidney, stage T1b.");
  EXPECT_EQ(describe(prompt, 3),
            "Generate a torso CT of an Asian man aged 62 with two 30 mm tumors of stage T1b in the "
            "right kidney, scanned in the portal venous phase.");
  EXPECT_EQ(describe(prompt, 4), "M, 62y, Asian, portal-venous, 2x right kidney tumor 30mm T1b");
  EXPECT_EQ(describe(prompt, 5),
            "The patient is a 62-year-old Asian man. He has stage T1b kidney cancer: two 30 mm "
            "nodules in the right kidney. The scan was taken in the portal venous phase.");
}

TEST(Describe, EveryPhrasingCarriesEveryStructuredField) {
  const std::vector<std::function<void(Prompt&)>> changes{
      [](Prompt& p) { p.sex = Sex::kFemale; },
      [](Prompt& p) { p.age = 18; },
      [](Prompt& p) { p.race = Race::kBlack; },
      [](Prompt& p) { p.contrast = ContrastPhase::kNone; },
      [](Prompt& p) { p.tumors->front().position = TumorPosition::kKidneyLeft; },
      [](Prompt& p) { p.tumors->front().count = 1; },
      [](Prompt& p) { p.tumors->front().size_mm = 12.5; },
      [](Prompt& p) { p.tumors->front().stage = "T3"; },
      [](Prompt& p) { p.tumors->clear(); },
      [](Prompt& p) { p.tumors.reset(); },
      [](Prompt& p) { p.sex.reset(); },
      [](Prompt& p) { p.age.reset(); },
      [](Prompt& p) { p.contrast.reset(); },
  };
  for (int phrasing = 0; phrasing < kPhrasingCount; ++phrasing) {
    for (size_t i = 0; i < changes.size(); ++i) {
      Prompt other = full_prompt();
      changes[i](other);
      EXPECT_NE(describe(other, phrasing), describe(full_prompt(), phrasing))
          << "phrasing " << phrasing << ", change " << i;
    }
  }
}

TEST(Describe, NoTumorAndOpenTumorsDiffer) {
  for (int phrasing = 0; phrasing < kPhrasingCount; ++phrasing) {
    Prompt none;
    none.tumors.emplace();
    EXPECT_NE(describe(none, phrasing), describe(Prompt{}, phrasing));
    EXPECT_FALSE(describe(Prompt{}, phrasing).empty());
    EXPECT_THAT(describe(Prompt{}, phrasing), Not(HasSubstr("  ")));
  }
}

TEST(Describe, EveryPositionIsToldApart) {
  for (int phrasing = 0; phrasing < kPhrasingCount; ++phrasing) {
    std::set<std::string> texts;
    for (int i = 0; i < kTumorPositionCount; ++i) {
      Prompt prompt;
      TumorRequest tumor;
      tumor.position = static_cast<TumorPosition>(i);
      tumor.organ = organ_of(*tumor.position);
      prompt.tumors = {tumor};
      texts.insert(describe(prompt, phrasing));
    }
    EXPECT_EQ(texts.size(), static_cast<size_t>(kTumorPositionCount));
  }
}

TEST(Describe, UnknownPhrasingIsRefused) {
  EXPECT_THROW(describe({}, -1), Error);
  EXPECT_THROW(describe({}, kPhrasingCount), Error);
}

}  // namespace
}  // namespace guidegen
