#include "guidegen/data/own_mask.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error_matchers.hpp"
#include "data/hand_made.hpp"
#include "guidegen/data/phantom.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(BodyAround, IsTheHullOfASliceAndSomeMore) {
  // Two voxels 30 voxels of 2 mm apart, 60 mm: a stadium of radius 10 mm.
  Volume mask{at::zeros({1, 3, 60, 80}, at::kByte), centered_geometry({80, 60, 3}, {2, 2, 5})};
  mask.data[0][1][30][20] = 7;
  mask.data[0][1][30][50] = 9;
  const auto body = body_around(mask, 10);
  EXPECT_FALSE(body[0].any().item<bool>());
  EXPECT_FALSE(body[2].any().item<bool>());
  const double area = body[1].sum().item<double>() * 4;
  EXPECT_NEAR(area, 60 * 20 + M_PI * 100, 0.05 * area);
  EXPECT_TRUE(body[1][30][35].item<bool>());   // between them
  EXPECT_TRUE(body[1][30][16].item<bool>());   // beside
  EXPECT_FALSE(body[1][30][14].item<bool>());  // too far
  EXPECT_FALSE(body[1][37][20].item<bool>());
}

TEST(BodyAround, HoldsMostOfAPhantomsTrunk) {
  const auto vocabulary = Vocabulary::load("torso");
  PhantomRequest request;
  request.geometry = centered_geometry({64, 64, 80}, {6, 6, 6});
  Volume mask = make_phantom(request, vocabulary).mask;
  const auto trunk = voxels_of(mask.data[0], 0).logical_not();
  fill_label_(mask.data, mask.data.eq(vocabulary.body()), 0);
  const auto made = body_around(mask, 15);
  const double both = made.logical_and(trunk).sum().item<double>();
  EXPECT_GT(2 * both / (made.sum().item<double>() + trunk.sum().item<double>()), 0.75);  // Dice
}

TEST(TakeMask, OwnLabelsWithABodyStay) {
  const auto vocabulary = Vocabulary::load("torso");
  const Volume mask = schematic_patient(vocabulary);
  const auto own = take_mask(mask, vocabulary, nullptr, "mask.nii.gz");
  EXPECT_TRUE(own.mask.data.equal(mask.data));
  EXPECT_TRUE(own.unknown.empty());
  EXPECT_FALSE(own.body_added);
}

TEST(TakeMask, UnknownValuesAreCountedAndBecomeBody) {
  const auto vocabulary = Vocabulary::load("torso");
  Volume mask = schematic_patient(vocabulary);
  draw(mask, 200, {32, 32, 20}, {2, 2, 2});
  const auto own = take_mask(mask, vocabulary, nullptr, "mask.nii.gz");
  EXPECT_THAT(own.unknown, ElementsAre(Pair(200, 33)));
  EXPECT_EQ(own.mask.data[0][20][32][32].item<int>(), vocabulary.body());
}

TEST(TakeMask, ASingleOrganGetsABodyToo) {
  const auto vocabulary = Vocabulary::load("torso");
  Volume labels = empty_mask();
  draw(labels, 1, {12, 28, 46}, {5, 6, 6});  // fills its own hull
  const auto own =
      take_mask(labels, vocabulary, &vocabulary.mapping("msd_spleen"), "labels.nii.gz");
  EXPECT_TRUE(own.body_added);
  EXPECT_EQ(own.mask.data[0][46][28][18].item<int>(), vocabulary.body());
}

TEST(TakeMask, AKidneyByItselfIsNotCutInTwo) {
  const auto vocabulary = Vocabulary::load("torso");
  Volume labels = empty_mask();
  draw(labels, 1, {44, 28, 46}, {8, 6, 6});
  const auto own = take_mask(labels, vocabulary, &vocabulary.mapping("kits"), "labels.nii.gz");
  const auto voxels = [&own](const char* label) {
    return own.mask.data.eq(Vocabulary::load("torso").id(label)).sum().item<int64_t>();
  };
  EXPECT_EQ(voxels("kidney_right"), labels.data.eq(1).sum().item<int64_t>());
  EXPECT_EQ(voxels("kidney_left"), 0);
}

TEST(TakeMask, ForeignLabelsAreMappedAndGetABody) {
  const auto vocabulary = Vocabulary::load("torso");
  const auto& mapping = vocabulary.mapping("totalsegmentator_v2");
  Volume labels = empty_mask();
  draw(labels, 5, {42, 32, 46}, {16, 12, 6});  // liver
  draw(labels, 1, {12, 28, 46}, {5, 6, 6});    // spleen
  draw(labels, 250, {32, 10, 46}, {3, 3, 3});  // nothing that TotalSegmentator knows
  const auto own = take_mask(labels, vocabulary, &mapping, "labels.nii.gz");
  const auto voxels = [](const Volume& mask, int value) {
    return mask.data.eq(value).sum().item<int64_t>();
  };
  EXPECT_EQ(voxels(own.mask, vocabulary.id("liver")), voxels(labels, 5));
  EXPECT_EQ(voxels(own.mask, vocabulary.id("spleen")), voxels(labels, 1));
  EXPECT_THAT(own.unknown, ElementsAre(Pair(250, voxels(labels, 250))));
  EXPECT_TRUE(own.body_added);
  EXPECT_EQ(own.mask.data[0][46][20][28].item<int>(), vocabulary.body());  // between the organs
  EXPECT_EQ(own.mask.data[0][46][60][60].item<int>(), 0);
}

TEST(TakeMask, RefusesAnEmptyMask) {
  EXPECT_THAT([] { take_mask(empty_mask(), Vocabulary::load("torso"), nullptr, "empty.nii"); },
              throws_failure(HasSubstr("empty.nii: no voxel has a label")));
}

}  // namespace
}  // namespace guidegen
