#include "guidegen/anatomy/organ_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error_matchers.hpp"
#include "guidegen/anatomy/vocabulary.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;

TEST(OrganFacts, CoverEveryOrganOfTorsoOnce) {
  const Vocabulary torso = Vocabulary::load("torso");
  std::set<std::string> labels;
  for (const OrganFacts& facts : organ_facts()) {
    EXPECT_TRUE(torso.find(facts.label).has_value()) << facts.label;
    EXPECT_TRUE(labels.insert(facts.label).second) << facts.label;
  }
  for (const LabelInfo& label : torso.labels()) {
    const bool typical =
        label.id != torso.background() && label.id != torso.body() && label.id != torso.tumor();
    EXPECT_EQ(labels.contains(label.name), typical) << label.name;
  }
}

TEST(OrganFacts, HoldPhysicalNumbersAndASource) {
  for (const OrganFacts& facts : organ_facts()) {
    EXPECT_GT(facts.volume_ml_male, 1) << facts.label;
    EXPECT_GT(facts.volume_ml_female, 1) << facts.label;
    EXPECT_GT(facts.volume_spread, 0.05) << facts.label;
    EXPECT_LE(facts.volume_spread, 0.6) << facts.label;
    for (const double hu :
         {facts.hu_native, facts.hu_portal_venous, facts.hu_arterial, facts.hu_delayed}) {
      EXPECT_GE(hu, -1000) << facts.label;
      EXPECT_LE(hu, 1000) << facts.label;
      EXPECT_GE(hu, facts.hu_native) << facts.label << ": contrast medium adds attenuation";
    }
    EXPECT_GT(facts.hu_spread, 0) << facts.label;
    EXPECT_FALSE(facts.volume_source.empty()) << facts.label;
  }
}

TEST(OrganFacts, AgreeWithGeraghty2004) {
  EXPECT_EQ(organ_facts("liver").volume_ml_male, 1710);
  EXPECT_EQ(organ_facts("liver").volume_ml_female, 1411);
  EXPECT_EQ(organ_facts("spleen").volume_ml_female, 179.8);
  EXPECT_EQ(organ_facts("pancreas").volume_ml_male, 87.4);
  EXPECT_EQ(organ_facts("kidney_left").volume_ml_male, 193.1);
}

// Yamada 2020: 17.9, 9.3, 26.5, 23.1 and 23.2 % of the lungs in supine inspiration.
TEST(OrganFacts, LobesHaveThePublishedShares) {
  const std::vector<std::pair<std::string, double>> shares = {{"lung_upper_right", 0.179},
                                                              {"lung_middle_right", 0.093},
                                                              {"lung_lower_right", 0.265},
                                                              {"lung_upper_left", 0.231},
                                                              {"lung_lower_left", 0.232}};
  double men = 0;
  double women = 0;
  for (const auto& [label, share] : shares) {
    men += organ_facts(label).volume_ml_male;
    women += organ_facts(label).volume_ml_female;
  }
  for (const auto& [label, share] : shares) {
    EXPECT_NEAR(organ_facts(label).volume_ml_male / men, share, 0.001) << label;
    EXPECT_NEAR(organ_facts(label).volume_ml_female / women, share, 0.001) << label;
  }
}

TEST(OrganFacts, EnhanceInTheRightOrder) {
  EXPECT_GT(organ_facts("aorta").hu_arterial, organ_facts("aorta").hu_portal_venous + 100);
  EXPECT_GT(organ_facts("liver").hu_portal_venous, organ_facts("liver").hu_arterial);
  EXPECT_GT(organ_facts("portal_splenic_veins").hu_portal_venous,
            organ_facts("portal_splenic_veins").hu_arterial);
  EXPECT_GT(organ_facts("liver").hu_native, organ_facts("spleen").hu_native);
}

TEST(OrganFacts, UnknownLabelGetsTheNearest) {
  EXPECT_THAT([] { organ_facts("splen"); }, throws_usage(HasSubstr("did you mean \"spleen\"?")));
  EXPECT_THAT([] { organ_facts("tumor"); }, throws_usage(HasSubstr("\"tumor\"")));
}

}  // namespace
}  // namespace guidegen
