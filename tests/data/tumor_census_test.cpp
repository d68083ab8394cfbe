#include "guidegen/data/tumor_census.hpp"

#include <gmock/gmock.h>

#include "data/hand_made.hpp"

namespace guidegen {
namespace {

class TumorCensus : public ::testing::Test {
 protected:
  Vocabulary vocabulary_ = Vocabulary::load("torso");
  Volume mask_ = schematic_patient(vocabulary_);

  void add_tumor(const Vec3& center, double radius) {
    draw(mask_, vocabulary_.tumor(), center, {radius, radius, radius});
  }
};

class EachPosition : public TumorCensus, public ::testing::WithParamInterface<int> {};

TEST_P(EachPosition, IsRecognized) {
  const auto position = static_cast<TumorPosition>(GetParam());
  add_tumor(place_of(position), 2);
  const auto tumors = find_tumors(mask_, vocabulary_);
  ASSERT_EQ(tumors.size(), 1U);
  ASSERT_TRUE(tumors[0].organ.has_value());
  ASSERT_TRUE(tumors[0].position.has_value());
  EXPECT_EQ(name_of(*tumors[0].organ), name_of(organ_of(position)));
  EXPECT_EQ(name_of(*tumors[0].position), name_of(position));
  EXPECT_EQ(tumors[0].component.voxels, 33);  // lattice points of a ball of radius 2
}

INSTANTIATE_TEST_SUITE_P(All, EachPosition, ::testing::Range(0, kTumorPositionCount),
                         [](const auto& tested) {
                           const auto position = static_cast<TumorPosition>(tested.param);
                           std::string name = name_of(organ_of(position)) + "_" + name_of(position);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_F(TumorCensus, NoTumorIsFoundWhereThereIsNone) {
  EXPECT_TRUE(find_tumors(mask_, vocabulary_).empty());
  EXPECT_TRUE(summarize_tumors({}).empty());
}

TEST_F(TumorCensus, SpecksAreIgnored) {
  add_tumor({18, 20, 34}, 0.5);  // one voxel
  EXPECT_TRUE(find_tumors(mask_, vocabulary_, 2).empty());
  EXPECT_EQ(find_tumors(mask_, vocabulary_, 1).size(), 1U);
}

TEST_F(TumorCensus, TumorInNoneOfTheFiveOrgansHasNoHost) {
  draw(mask_, vocabulary_.id("spleen"), {10, 20, 44}, {4, 4, 4});
  add_tumor({32, 12, 50}, 1.5);  // soft tissue of the back
  const auto tumors = find_tumors(mask_, vocabulary_);
  ASSERT_EQ(tumors.size(), 1U);
  EXPECT_FALSE(tumors[0].organ.has_value());
  EXPECT_FALSE(tumors[0].position.has_value());
  EXPECT_TRUE(summarize_tumors(tumors).empty());
}

TEST_F(TumorCensus, ARimOfAnotherLabelDoesNotHideTheHost) {
  draw(mask_, vocabulary_.body(), {18, 20, 34}, {2.9, 2.9, 2.9});
  add_tumor({18, 20, 34}, 1.5);
  const auto tumors = find_tumors(mask_, vocabulary_);
  ASSERT_EQ(tumors.size(), 1U);
  EXPECT_EQ(tumors[0].position, TumorPosition::kKidneyLeft);
}

TEST_F(TumorCensus, LiverWithoutMarksIsPartedByItsOwnPlane) {
  for (const char* name : {"gallbladder", "inferior_vena_cava"}) {
    mask_.data.masked_fill_(mask_.data.eq(vocabulary_.id(name)), vocabulary_.id("liver"));
  }
  add_tumor({29, 32, 46}, 2);
  add_tumor({54, 32, 46}, 2);
  std::vector<TumorPosition> positions;
  for (const FoundTumor& tumor : find_tumors(mask_, vocabulary_)) {
    positions.push_back(tumor.position.value());
  }
  EXPECT_THAT(positions, ::testing::UnorderedElementsAre(TumorPosition::kLiverLeft,
                                                         TumorPosition::kLiverRight));
}

TEST_F(TumorCensus, SummaryGroupsByPlaceWithCountAndMeanSize) {
  add_tumor({50, 30, 44}, 1.5);
  add_tumor({50, 30, 49}, 1.5);
  add_tumor(place_of(TumorPosition::kKidneyLeft), 3);
  const auto tumors = find_tumors(mask_, vocabulary_);
  const auto requests = summarize_tumors(tumors);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].organ, TumorOrgan::kLiver);
  EXPECT_EQ(requests[0].position, TumorPosition::kLiverRight);
  EXPECT_EQ(requests[0].count, 2);
  // 19 voxels of 0.216 ml: a ball of 19.9 mm.
  EXPECT_NEAR(requests[0].size_mm.value(), 19.9, 0.05);
  EXPECT_EQ(requests[1].organ, TumorOrgan::kKidney);
  EXPECT_EQ(requests[1].count, 1);
}

TEST_F(TumorCensus, MoreThanTwentyOfAKindMakeSeveralRequests) {
  FoundTumor tumor;
  tumor.organ = TumorOrgan::kLung;
  tumor.component.diameter_mm = 1;  // below what a prompt may ask for
  const auto requests = summarize_tumors(std::vector<FoundTumor>(25, tumor));
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(*requests[0].count + *requests[1].count, 25);
  EXPECT_EQ(requests[0].size_mm, 3);
}

}  // namespace
}  // namespace guidegen
