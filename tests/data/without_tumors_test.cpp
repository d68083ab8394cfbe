#include "guidegen/data/without_tumors.hpp"

#include <gmock/gmock.h>

#include "data/hand_made.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

class WithoutTumors : public ::testing::Test {
 protected:
  Vocabulary vocabulary_ = Vocabulary::load("torso");
  Volume healthy_ = schematic_patient(vocabulary_);

  Volume with_tumor(const Vec3& center, double radius) const {
    Volume mask{healthy_.data.clone(), healthy_.geometry};
    draw(mask, vocabulary_.tumor(), center, {radius, radius, radius});
    return mask;
  }
};

TEST_F(WithoutTumors, ATumorInsideItsOrganBecomesTheOrgan) {
  const Volume mask = with_tumor({46, 30, 46}, 3);  // in the liver
  const Volume made = without_tumors(mask, vocabulary_);
  EXPECT_TRUE(made.data.equal(healthy_.data));
  EXPECT_TRUE(same_geometry(made.geometry, healthy_.geometry));
}

TEST_F(WithoutTumors, WhereItReachesOutOfTheOrganTheOrganTakesAllOfIt) {
  const Volume mask = with_tumor({46, 20, 40}, 3);  // at the tip of the right kidney
  const Volume made = without_tumors(mask, vocabulary_);
  const auto was_tumor = mask.data.eq(vocabulary_.tumor());
  EXPECT_TRUE(
      made.data.masked_select(was_tumor).eq(vocabulary_.id("kidney_right")).all().item<bool>());
  EXPECT_TRUE(made.data.masked_select(was_tumor.logical_not())
                  .equal(mask.data.masked_select(was_tumor.logical_not())));
}

TEST_F(WithoutTumors, ATumorWithoutAHostTakesWhatIsAround) {
  const Volume mask = with_tumor({32, 12, 50}, 1.5);  // soft tissue of the back
  EXPECT_TRUE(without_tumors(mask, vocabulary_).data.equal(healthy_.data));
}

TEST_F(WithoutTumors, KeepsTheInputAndItsType) {
  Volume mask = with_tumor({46, 30, 46}, 3);
  const auto before = mask.data.clone();
  const Volume wide{mask.data.to(at::kUInt16), mask.geometry};
  const Volume made = without_tumors(wide, vocabulary_);
  EXPECT_EQ(made.data.scalar_type(), at::kUInt16);
  EXPECT_TRUE(mask.data.equal(before));
  const Volume int_mask{mask.data.to(at::kInt), mask.geometry};
  const auto int_before = int_mask.data.clone();
  without_tumors(int_mask, vocabulary_);
  EXPECT_TRUE(int_mask.data.equal(int_before));
}

TEST_F(WithoutTumors, NothingButTumorBecomesBackground) {
  Volume mask = empty_mask();
  mask.data.fill_(vocabulary_.tumor());
  EXPECT_EQ(label_range(without_tumors(mask, vocabulary_).data).largest, 0);
}

}  // namespace
}  // namespace guidegen
