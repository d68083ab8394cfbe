#include "guidegen/volume/labels.hpp"

#include <gtest/gtest.h>

#include "guidegen/volume/components.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/resample.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;
using volume_testing::message_of;

at::Tensor wide(const std::vector<int>& values) {
  return at::tensor(values, at::kInt).to(at::kUInt16);
}

TEST(Labels, TypeFollowsTheVocabulary) {
  EXPECT_EQ(label_type(2), at::kByte);
  EXPECT_EQ(label_type(256), at::kByte);
  EXPECT_EQ(label_type(257), at::kUInt16);
  EXPECT_EQ(label_type(65535), at::kUInt16);
}

TEST(Labels, RangeOfEveryType) {
  const auto range = [](const at::Tensor& mask) {
    const auto [smallest, largest] = label_range(mask);
    return std::pair(smallest, largest);
  };
  EXPECT_EQ(range(wide({7, 65534, 300})), std::pair(int64_t{7}, int64_t{65534}));
  EXPECT_EQ(range(wide({7, 9, 300, 1}).view({2, 2}).t()), std::pair(int64_t{1}, int64_t{300}));
  EXPECT_EQ(range(at::tensor({5, 200}, at::kByte)), std::pair(int64_t{5}, int64_t{200}));
  EXPECT_EQ(range(at::tensor({-5, 70000}, at::kInt)), std::pair(int64_t{-5}, int64_t{70000}));
  EXPECT_EQ(range(at::empty({0}, at::kUInt16)), std::pair(int64_t{0}, int64_t{0}));
}

TEST(Labels, VoxelsOfALabelThatTheTypeCannotHoldAreNone) {
  EXPECT_FALSE(voxels_of(at::tensor({44, 1}, at::kByte), 300).any().item<bool>());
  EXPECT_FALSE(voxels_of(wide({44, 1}), 65536 + 44).any().item<bool>());
  EXPECT_FALSE(voxels_of(wide({65535}), -1).any().item<bool>());
  EXPECT_TRUE(voxels_of(wide({44, 300}), 300).equal(at::tensor({0, 1}, at::kInt).to(at::kBool)));
  EXPECT_TRUE(voxels_of(at::tensor({-1, 300}, at::kInt), 300)
                  .equal(at::tensor({0, 1}, at::kInt).to(at::kBool)));
}

TEST(Labels, CountsAreThoseOfInt32) {
  const at::Tensor labels = at::randint(700, {3, 4, 5}, at::kInt);
  const at::Tensor expected = labels.flatten().bincount({}, 1000);
  EXPECT_TRUE(count_labels(labels.to(at::kUInt16), 1000).equal(expected));
  EXPECT_TRUE(count_labels(labels, 1000).equal(expected));
  EXPECT_EQ(count_labels(wide({3, 5}), 2).numel(), 6);
}

TEST(Labels, FillsAlsoAbove32767) {
  at::Tensor mask = wide({1, 2, 3});
  fill_label_(mask, at::tensor({1, 0, 1}, at::kInt).to(at::kBool), 60000);
  EXPECT_TRUE(mask.equal(wide({60000, 2, 60000})));
  at::Tensor narrow = at::tensor({1, 2}, at::kByte);
  fill_label_(narrow, at::tensor({0, 1}, at::kInt).to(at::kBool), 255);
  EXPECT_TRUE(narrow.equal(at::tensor({1, 255}, at::kByte)));
  EXPECT_THAT(message_of([&] { fill_label_(narrow, narrow.eq(1), 256); }),
              HasSubstr("label 256 does not fit"));
}

TEST(Labels, FilesGiveTheTypeOfTheVocabularyWhateverTheyHold) {
  const TemporaryFolder folder;
  const auto path = folder / "m.nii.gz";
  Volume mask = volume_testing::counting_volume(volume_testing::oblique_geometry(0), at::kInt);
  mask.data = mask.data.remainder(30).to(at::kUInt16);
  write_mask(path, mask);
  EXPECT_EQ(read_mask(path).data.scalar_type(), at::kByte);
  EXPECT_EQ(read_mask(path, 256).data.scalar_type(), at::kByte);
  const Volume back = read_mask(path, 300);
  EXPECT_EQ(back.data.scalar_type(), at::kUInt16);
  EXPECT_TRUE(back.data.equal(reorient_ras(mask).data));
}

TEST(Labels, ResamplingAndComponentsGiveWhatTheyGiveOfInt32) {
  Volume mask{at::zeros({1, 8, 9, 10}, at::kInt), centered_geometry({10, 9, 8}, {2, 2, 2})};
  mask.data.slice(1, 1, 5).slice(2, 2, 6).fill_(40000);
  mask.data.slice(1, 5, 8).slice(3, 0, 4).fill_(300);
  mask.data[0][7][8][9] = 40000;
  const Volume narrow{mask.data.to(at::kUInt16), mask.geometry};

  const ImageGeometry finer = respaced(mask.geometry, {1.5, 1, 3});
  const at::Tensor resampled = resample_mask(narrow, finer).data;
  EXPECT_EQ(resampled.scalar_type(), at::kUInt16);
  EXPECT_TRUE(resampled.to(at::kInt).equal(resample_mask(mask, finer).data));

  const auto pieces = find_components(narrow, 40000);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].voxels, find_components(mask, 40000)[0].voxels);
  EXPECT_EQ(pieces[1].voxels, 1);
}

}  // namespace
}  // namespace guidegen
