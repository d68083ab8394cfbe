#include "guidegen/data/collate.hpp"

#include <gmock/gmock.h>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::shared_ptr<TrainingCase> made(const std::string& id, at::IntArrayRef dhw, int fill,
                                   at::ScalarType type = at::kByte) {
  auto item = std::make_shared<TrainingCase>();
  item->id = id;
  item->mask = at::full(dhw, fill, type);
  item->ct = at::full(dhw, -10 * fill, at::kShort);
  return item;
}

TEST(Collate, StacksMasksAndCts) {
  for (const auto type : {at::kByte, at::kUInt16}) {
    const auto a = made("a", {2, 3, 4}, 7, type);
    const auto b = made("b", {2, 3, 4}, 9, type);
    const Collated both = collate({a, b}, false);
    EXPECT_EQ(both.mask.sizes(), at::IntArrayRef({2, 2, 3, 4}));
    EXPECT_EQ(both.ct.sizes(), at::IntArrayRef({2, 1, 2, 3, 4}));
    EXPECT_EQ(both.mask.scalar_type(), type);
    EXPECT_EQ(both.ct.scalar_type(), at::kShort);
    EXPECT_TRUE(both.mask.is_contiguous() && both.ct.is_contiguous());
    EXPECT_TRUE(both.mask[1].equal(b->mask));
    EXPECT_TRUE(both.ct[0][0].equal(a->ct));
    EXPECT_NE(collate({a}, false).mask.const_data_ptr(), a->mask.const_data_ptr()) << "a copy";
  }
}

TEST(Collate, LeavesTheCtOutWhenThereIsNone) {
  const auto item = made("a", {2, 3, 4}, 7);
  item->ct = at::Tensor();
  EXPECT_FALSE(collate({item}, false).ct.defined());
}

TEST(Collate, RefusesCasesThatDiffer) {
  const auto a = made("first", {2, 3, 4}, 7);
  const auto refuses = [&](const std::shared_ptr<TrainingCase>& other, const auto& message) {
    EXPECT_THAT(
        [&] {
          collate({a, a, other}, false);
        },
        throws_failure(AllOf(HasSubstr("'first' and 'second'"), message)));
  };
  refuses(made("second", {2, 4, 4}, 7),
          AllOf(HasSubstr("[2, 3, 4] and [2, 4, 4]"), HasSubstr("training.batch=1")));
  refuses(made("second", {2, 3, 4}, 7, at::kUInt16), HasSubstr("one vocabulary"));
  const auto bare = made("second", {2, 3, 4}, 7);
  bare->ct = at::Tensor();
  refuses(bare, HasSubstr("with and without a CT"));
  EXPECT_THAT([&] { collate({}, false); }, throws_failure(HasSubstr("empty")));
}

}  // namespace
}  // namespace guidegen
