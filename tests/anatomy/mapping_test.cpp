#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "guidegen/anatomy/vocabulary.hpp"

namespace guidegen {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

struct Spot {
  const char* mapping;
  int value;
  const char* foreign_name;
  const char* label;
};

class MappedClass : public testing::TestWithParam<Spot> {};

TEST_P(MappedClass, GoesToItsLabel) {
  const Vocabulary torso = Vocabulary::load("torso");
  const LabelMapping& mapping = torso.mapping(GetParam().mapping);
  EXPECT_EQ(mapping.foreign_names.at(GetParam().value), GetParam().foreign_name);
  EXPECT_EQ(torso.label(mapping.to_ours.at(GetParam().value)).name, GetParam().label);
}

INSTANTIATE_TEST_SUITE_P(
    SpotChecks, MappedClass,
    testing::Values(Spot{"totalsegmentator_v1", 1, "spleen", "spleen"},
                    Spot{"totalsegmentator_v1", 7, "aorta", "aorta"},
                    Spot{"totalsegmentator_v1", 10, "pancreas", "pancreas"},
                    Spot{"totalsegmentator_v1", 17, "lung_lower_lobe_right", "lung_lower_right"},
                    Spot{"totalsegmentator_v1", 18, "vertebrae_L5", "spine"},
                    Spot{"totalsegmentator_v1", 41, "vertebrae_C1", "spine"},
                    Spot{"totalsegmentator_v1", 44, "heart_myocardium", "heart"},
                    Spot{"totalsegmentator_v1", 48, "heart_ventricle_right", "heart"},
                    Spot{"totalsegmentator_v1", 49, "pulmonary_artery", "body"},
                    Spot{"totalsegmentator_v1", 57, "colon", "colon"},
                    Spot{"totalsegmentator_v1", 58, "rib_left_1", "bone"},
                    Spot{"totalsegmentator_v1", 92, "sacrum", "spine"},
                    Spot{"totalsegmentator_v1", 104, "urinary_bladder", "bladder"},
                    Spot{"totalsegmentator_v2", 2, "kidney_right", "kidney_right"},
                    Spot{"totalsegmentator_v2", 3, "kidney_left", "kidney_left"},
                    Spot{"totalsegmentator_v2", 10, "lung_upper_lobe_left", "lung_upper_left"},
                    Spot{"totalsegmentator_v2", 17, "thyroid_gland", "body"},
                    Spot{"totalsegmentator_v2", 22, "prostate", "prostate_uterus"},
                    Spot{"totalsegmentator_v2", 23, "kidney_cyst_left", "kidney_left"},
                    Spot{"totalsegmentator_v2", 24, "kidney_cyst_right", "kidney_right"},
                    Spot{"totalsegmentator_v2", 25, "sacrum", "spine"},
                    Spot{"totalsegmentator_v2", 51, "heart", "heart"},
                    Spot{"totalsegmentator_v2", 53, "pulmonary_vein", "body"},
                    Spot{"totalsegmentator_v2", 61, "atrial_appendage_left", "heart"},
                    Spot{"totalsegmentator_v2", 63, "inferior_vena_cava", "inferior_vena_cava"},
                    Spot{"totalsegmentator_v2", 64, "portal_vein_and_splenic_vein",
                         "portal_splenic_veins"},
                    Spot{"totalsegmentator_v2", 78, "hip_right", "bone"},
                    Spot{"totalsegmentator_v2", 79, "spinal_cord", "body"},
                    Spot{"totalsegmentator_v2", 89, "iliopsoas_right", "body"},
                    Spot{"totalsegmentator_v2", 91, "skull", "bone"},
                    Spot{"totalsegmentator_v2", 116, "sternum", "bone"},
                    Spot{"totalsegmentator_v2", 117, "costal_cartilages", "bone"},
                    Spot{"amos", 2, "right kidney", "kidney_right"},
                    Spot{"amos", 9, "postcava", "inferior_vena_cava"},
                    Spot{"amos", 15, "prostate/uterus", "prostate_uterus"},
                    Spot{"btcv", 10, "portal vein and splenic vein", "portal_splenic_veins"},
                    Spot{"btcv", 13, "left adrenal gland", "adrenal_left"},
                    Spot{"msd_liver", 2, "cancer", "tumor"}, Spot{"msd_lung", 1, "cancer", "tumor"},
                    Spot{"msd_pancreas", 1, "pancreas", "pancreas"},
                    Spot{"msd_colon", 1, "colon cancer primaries", "tumor"},
                    Spot{"msd_spleen", 1, "spleen", "spleen"}, Spot{"kits", 2, "tumor", "tumor"},
                    Spot{"lits", 1, "liver", "liver"}),
    [](const auto& test) {
      return std::string(test.param.mapping) + "_" + std::to_string(test.param.value);
    });

TEST(Mappings, AreThereWithTheirClassCounts) {
  const Vocabulary torso = Vocabulary::load("torso");
  EXPECT_THAT(torso.mapping_names(),
              IsSupersetOf({"totalsegmentator_v1", "totalsegmentator_v2", "amos", "btcv",
                            "msd_liver", "msd_lung", "msd_pancreas", "msd_colon", "kits", "lits"}));
  EXPECT_EQ(torso.mapping("totalsegmentator_v1").to_ours.size(), 104U);
  EXPECT_EQ(torso.mapping("totalsegmentator_v2").to_ours.size(), 117U);
  EXPECT_EQ(torso.mapping("amos").to_ours.size(), 15U);
  EXPECT_EQ(torso.mapping("btcv").to_ours.size(), 13U);
}

TEST(Mappings, CoverEachForeignValueOnceWithoutGaps) {
  const Vocabulary torso = Vocabulary::load("torso");
  for (const std::string& name : torso.mapping_names()) {
    const LabelMapping& mapping = torso.mapping(name);
    int expected = 1;
    for (const auto& [value, foreign] : mapping.foreign_names) {
      EXPECT_EQ(value, expected++) << name;
      EXPECT_NE(mapping.to_ours.contains(value), mapping.to_group.contains(value)) << name;
    }
  }
}

// A name that says its side must arrive on that side: swapping one is the classic error.
TEST(Mappings, KeepTheSide) {
  const Vocabulary torso = Vocabulary::load("torso");
  for (const std::string& name : torso.mapping_names()) {
    const LabelMapping& mapping = torso.mapping(name);
    for (const auto& [value, ours] : mapping.to_ours) {
      const std::string& label = torso.label(ours).name;
      const std::string& foreign = mapping.foreign_names.at(value);
      for (const std::string side : {"left", "right"}) {
        if (label.ends_with("_" + side)) {
          EXPECT_NE(foreign.find(side), std::string::npos) << name << " " << foreign;
        }
      }
    }
  }
}

// Every label is given by the source, given within a group, or declared unlabelled.
TEST(Mappings, AccountForEveryLabel) {
  const Vocabulary torso = Vocabulary::load("torso");
  for (const std::string& name : torso.mapping_names()) {
    const LabelMapping& mapping = torso.mapping(name);
    std::set<int> known(mapping.unlabelled.begin(), mapping.unlabelled.end());
    for (const auto& [value, ours] : mapping.to_ours) known.insert(ours);
    for (const auto& [value, group] : mapping.to_group) {
      known.insert(torso.group(group).begin(), torso.group(group).end());
    }
    known.insert({torso.background(), torso.body()});
    EXPECT_EQ(known.size(), static_cast<size_t>(torso.size())) << name;
  }
}

TEST(Mappings, SayWhatASourceLeavesOpen) {
  const Vocabulary torso = Vocabulary::load("torso");
  EXPECT_THAT(torso.mapping("totalsegmentator_v2").unlabelled, ElementsAre(torso.tumor()));
  EXPECT_THAT(torso.mapping("totalsegmentator_v1").unlabelled,
              UnorderedElementsAre(torso.id("prostate_uterus"), torso.tumor()));
  EXPECT_EQ(torso.mapping("msd_colon").unlabelled.size(), 27U);
}

TEST(Mappings, KidneysWithoutSideGoToTheGroup) {
  const LabelMapping kits = Vocabulary::load("torso").mapping("kits");
  EXPECT_EQ(kits.to_group.at(1), "kidneys");
  EXPECT_EQ(kits.to_group.at(3), "kidneys");
  EXPECT_EQ(kits.to_ours.size(), 1U);
}

}  // namespace
}  // namespace guidegen
