#include "guidegen/anatomy/vocabulary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Json label_json(int id, const std::string& name) {
  return {{"id", id}, {"name", name}, {"color", {id % 256, id / 256, 7}}};
}

/// background, body, tumor and as many organs as make `size`.
Json made_up(int size) {
  Json labels = Json::array({label_json(0, "background"), label_json(1, "body")});
  for (int id = 2; id < size - 1; ++id) {
    labels.push_back(label_json(id, "organ_" + std::to_string(id)));
  }
  labels.push_back(label_json(size - 1, "tumor"));
  return {{"name", "made_up"}, {"labels", labels}};
}

TEST(Vocabulary, TorsoHasTheAgreedLabelsInOrder) {
  const Vocabulary torso = Vocabulary::load("torso");
  const std::vector<std::string> names = {"background",
                                          "body",
                                          "spleen",
                                          "kidney_right",
                                          "kidney_left",
                                          "gallbladder",
                                          "liver",
                                          "stomach",
                                          "pancreas",
                                          "adrenal_right",
                                          "adrenal_left",
                                          "lung_upper_left",
                                          "lung_lower_left",
                                          "lung_upper_right",
                                          "lung_middle_right",
                                          "lung_lower_right",
                                          "esophagus",
                                          "trachea",
                                          "small_bowel",
                                          "duodenum",
                                          "colon",
                                          "bladder",
                                          "prostate_uterus",
                                          "heart",
                                          "aorta",
                                          "inferior_vena_cava",
                                          "portal_splenic_veins",
                                          "spine",
                                          "bone",
                                          "tumor"};
  ASSERT_EQ(torso.size(), 30);
  for (int id = 0; id < torso.size(); ++id) {
    EXPECT_EQ(torso.label(id).name, names[static_cast<size_t>(id)]);
    EXPECT_EQ(torso.id(torso.label(id).name), id);
  }
  EXPECT_EQ(torso.body(), 1);
  EXPECT_EQ(torso.tumor(), 29);
  EXPECT_EQ(torso.name(), "torso");
}

TEST(Vocabulary, TorsoColorsAndCodesAreDistinct) {
  const Vocabulary torso = Vocabulary::load("torso");
  std::set<std::array<uint8_t, 3>> colors;
  std::set<std::string> codes;
  int coded = 0;
  for (const LabelInfo& label : torso.labels()) {
    colors.insert(label.color);
    EXPECT_EQ(label.code.empty(), label.code_meaning.empty()) << label.name;
    EXPECT_FALSE(label.display.empty());
    if (label.code.empty()) continue;
    ++coded;
    codes.insert(label.code);
  }
  EXPECT_EQ(colors.size(), 30U);
  EXPECT_EQ(coded, 28);  // no single concept is "background" or "prostate or uterus"
  EXPECT_EQ(codes.size(), 28U);
  EXPECT_EQ(torso.label(torso.id("liver")).code, "10200004");
  EXPECT_EQ(torso.label(torso.id("spleen")).code, "78961009");
  EXPECT_EQ(torso.label(torso.id("lung_middle_right")).code, "72481006");
}

/// The check digit of SNOMED CT ids (Verhoeff's scheme), which catches nearly every typing error.
bool has_valid_check_digit(const std::string& code) {
  // Dihedral group D5: 0-4 turn, 5-9 also flip.
  const auto multiply = [](int a, int b) {
    const int turn = a < 5 ? (a + b % 5) % 5 : (a - b % 5) % 5;
    return a < 5 ? (b < 5 ? turn : 5 + turn) : (b < 5 ? 5 + (turn + 5) % 5 : (turn + 5) % 5);
  };
  const std::array<int, 10> permutation = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int check = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    int digit = code[code.size() - 1 - i] - '0';
    for (size_t round = 0; round < i % 8; ++round) digit = permutation[static_cast<size_t>(digit)];
    check = multiply(check, digit);
  }
  return check == 0;
}

TEST(Vocabulary, TorsoCodesAreWellFormedSnomedIds) {
  ASSERT_TRUE(has_valid_check_digit("138875005"));  // the root concept of SNOMED CT
  ASSERT_FALSE(has_valid_check_digit("138875006"));
  ASSERT_FALSE(has_valid_check_digit("138857005"));
  const Vocabulary torso = Vocabulary::load("torso");
  for (const LabelInfo& label : torso.labels()) {
    if (!label.code.empty()) {
      EXPECT_TRUE(has_valid_check_digit(label.code)) << label.name << " " << label.code;
    }
  }
}

TEST(Vocabulary, TorsoGroupsHaveTheirMembers) {
  const Vocabulary torso = Vocabulary::load("torso");
  EXPECT_THAT(torso.group("lung"), ElementsAre(11, 12, 13, 14, 15));
  EXPECT_THAT(torso.group("lung_left"), ElementsAre(11, 12));
  EXPECT_THAT(torso.group("lung_right"), ElementsAre(13, 14, 15));
  EXPECT_THAT(torso.group("kidneys"), ElementsAre(3, 4));
  EXPECT_THAT(torso.group("adrenals"), ElementsAre(9, 10));
  EXPECT_THAT(torso.group("bowel"), ElementsAre(18, 19, 20));
  EXPECT_THAT(torso.group("bones"), ElementsAre(27, 28));
  EXPECT_THAT(torso.group("vessels"), ElementsAre(24, 25, 26));
  EXPECT_EQ(torso.group("torso").size(), 29U);
  EXPECT_THAT([&] { torso.group("kidney"); }, throws_usage(HasSubstr("did you mean \"kidneys\"?")));
}

TEST(Vocabulary, UnknownNamesGetTheNearest) {
  const Vocabulary torso = Vocabulary::load("torso");
  EXPECT_FALSE(torso.find("oesophagus").has_value());
  EXPECT_THAT([&] { torso.id("oesophagus"); },
              throws_usage(HasSubstr("no label \"oesophagus\", did you mean \"esophagus\"?")));
  EXPECT_THAT([&] { torso.mapping("amos22"); },
              throws_usage(AllOf(HasSubstr("amos22"), HasSubstr("totalsegmentator_v2"))));
  EXPECT_THAT([] { Vocabulary::load("trunk"); },
              throws_usage(AllOf(HasSubstr("no vocabulary \"trunk\""), HasSubstr("torso"))));
  EXPECT_THAT([] { Vocabulary::load("../torso"); }, throws_usage(HasSubstr("no vocabulary")));
}

TEST(Vocabulary, AHundredAndThirtyLabelsWork) {
  const Vocabulary vocabulary = Vocabulary::from_json(made_up(130), "v.json");
  EXPECT_EQ(vocabulary.size(), 130);
  EXPECT_EQ(vocabulary.tumor(), 129);
  EXPECT_EQ(vocabulary.id("organ_77"), 77);
  EXPECT_EQ(vocabulary.label(77).display, "organ_77");
  EXPECT_TRUE(vocabulary.groups().empty());
}

TEST(Vocabulary, SizeEndsAt65535) {
  EXPECT_EQ(Vocabulary::from_json(made_up(65535), "v").size(), 65535);
  EXPECT_THAT([] { Vocabulary::from_json(made_up(65536), "v"); },
              throws_usage(HasSubstr("v: labels: has 65536 labels, expected at most 65535")));
}

TEST(Vocabulary, LoadsAFileAndItsOwnDocument) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "mine.json", dump_json(made_up(5)));
  const Vocabulary mine = Vocabulary::load((folder / "mine.json").string());
  EXPECT_EQ(mine.size(), 5);
  const Vocabulary again = Vocabulary::from_json(mine.document(), "model.json");
  EXPECT_EQ(again.name(), mine.name());
  EXPECT_EQ(again.document(), mine.document());
  EXPECT_THAT([&] { Vocabulary::load((folder / "no.json").string()); },
              throws_failure(HasSubstr("no.json")));
}

struct BadVocabulary {
  const char* name;
  void (*spoil)(Json&);
  const char* says;
};

class MalformedVocabulary : public testing::TestWithParam<BadVocabulary> {};

TEST_P(MalformedVocabulary, IsRefusedNamingTheKey) {
  Json document = made_up(6);
  document["groups"] = {{"pair", {"organ_2", "organ_3"}}};
  document["mappings"] = {{{"name", "src"},
                           {"unlabelled", {"tumor"}},
                           {"classes",
                            {{{"value", 1}, {"name", "a"}, {"label", "organ_2"}},
                             {{"value", 2}, {"name", "b"}, {"group", "pair"}}}}}};
  ASSERT_NO_THROW(Vocabulary::from_json(document, "v.json"));
  GetParam().spoil(document);
  EXPECT_THAT([&] { Vocabulary::from_json(document, "v.json"); },
              throws_usage(AllOf(HasSubstr("v.json: "), HasSubstr(GetParam().says))));
}

INSTANTIATE_TEST_SUITE_P(
    Table, MalformedVocabulary,
    testing::Values(
        BadVocabulary{"NotAnObject", [](Json& v) { v = Json::array(); }, "expected an object"},
        BadVocabulary{"NoName", [](Json& v) { v.erase("name"); }, "name: is missing"},
        BadVocabulary{"PathAsName", [](Json& v) { v["name"] = "../x"; }, "name: is \"../x\""},
        BadVocabulary{"UnknownKey", [](Json& v) { v["group"] = 1; }, "did you mean \"groups\"?"},
        BadVocabulary{"GapInIds", [](Json& v) { v["labels"][3]["id"] = 4; },
                      "labels[3].id: is 4, expected 3"},
        BadVocabulary{"NegativeId", [](Json& v) { v["labels"][0]["id"] = -1; }, "labels[0].id"},
        BadVocabulary{"SameNameTwice", [](Json& v) { v["labels"][3]["name"] = "organ_2"; },
                      "labels[3].name: \"organ_2\" appears twice"},
        BadVocabulary{"UpperCase", [](Json& v) { v["labels"][3]["name"] = "Organ"; },
                      "expected lower-case letters"},
        BadVocabulary{"ColorTooBright", [](Json& v) { v["labels"][2]["color"][1] = 256; },
                      "labels[2].color[1]: is 256, expected an integer from 0 to 255"},
        BadVocabulary{"FourColors", [](Json& v) { v["labels"][2]["color"].push_back(0); },
                      "has 4 numbers"},
        BadVocabulary{"CodeOfLetters", [](Json& v) { v["labels"][2]["code"] = "T-62000"; },
                      "expected a SNOMED CT id"},
        BadVocabulary{"UnknownLabelKey", [](Json& v) { v["labels"][2]["colour"] = 1; },
                      "labels[2].colour: is not a known key, did you mean \"color\"?"},
        BadVocabulary{"NoTumor", [](Json& v) { v["labels"].erase(5); }, "has no \"tumor\""},
        BadVocabulary{"NoBody", [](Json& v) { v["labels"][1]["name"] = "b"; }, "has no \"body\""},
        BadVocabulary{"BackgroundElsewhere",
                      [](Json& v) {
                        v["labels"][0]["name"] = "body";
                        v["labels"][1]["name"] = "background";
                      },
                      "other than 0"},
        BadVocabulary{
            "GroupOfUnknown", [](Json& v) { v["groups"]["pair"][0] = "organ2"; },
            "groups.pair[0]: is \"organ2\", which is no label, did you mean \"organ_2\"?"},
        BadVocabulary{"GroupTwice", [](Json& v) { v["groups"]["pair"][0] = "organ_3"; },
                      "groups.pair[1]: names \"organ_3\" again"},
        BadVocabulary{"EmptyGroup", [](Json& v) { v["groups"]["pair"] = Json::array(); },
                      "groups.pair: is empty"},
        BadVocabulary{"MappingToUnknown",
                      [](Json& v) { v["mappings"][0]["classes"][0]["label"] = "organ_9"; },
                      "mappings[0].classes[0].label: is \"organ_9\""},
        BadVocabulary{"MappingToUnknownGroup",
                      [](Json& v) { v["mappings"][0]["classes"][1]["group"] = "pairs"; },
                      "did you mean \"pair\"?"},
        BadVocabulary{"LabelAndGroup",
                      [](Json& v) { v["mappings"][0]["classes"][1]["label"] = "organ_2"; },
                      "expected either"},
        BadVocabulary{"ForeignValueTwice",
                      [](Json& v) { v["mappings"][0]["classes"][1]["value"] = 1; },
                      "1 is mapped twice"},
        BadVocabulary{"ForeignZero", [](Json& v) { v["mappings"][0]["classes"][1]["value"] = 0; },
                      "from 1 to 65535"},
        BadVocabulary{"UnlabelledButGiven",
                      [](Json& v) { v["mappings"][0]["unlabelled"][0] = "organ_3"; },
                      "names \"organ_3\", which the source does label"},
        BadVocabulary{"MappingTwice", [](Json& v) { v["mappings"].push_back(v["mappings"][0]); },
                      "mappings[1].name: \"src\" appears twice"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace guidegen
