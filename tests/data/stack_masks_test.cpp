#include "guidegen/data/stack_masks.hpp"

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
  return item;
}

TEST(StackMasks, CopiesMasksIntoOneTensor) {
  for (const auto type : {at::kByte, at::kUInt16}) {
    const auto a = made("a", {2, 3, 4}, 7, type);
    const auto b = made("b", {2, 3, 4}, 9, type);
    const auto both = stack_masks({a, b});
    EXPECT_EQ(both.sizes(), at::IntArrayRef({2, 2, 3, 4}));
    EXPECT_EQ(both.scalar_type(), type);
    EXPECT_TRUE(both.is_contiguous());
    EXPECT_TRUE(both[1].equal(b->mask));
    EXPECT_NE(stack_masks({a}).const_data_ptr(), a->mask.const_data_ptr()) << "a copy";
  }
}

TEST(StackMasks, RefusesCasesThatDiffer) {
  const auto a = made("first", {2, 3, 4}, 7);
  const auto refuses = [&](const std::shared_ptr<TrainingCase>& other, const auto& message) {
    EXPECT_THAT(
        [&] {
          stack_masks({a, a, other});
        },
        throws_failure(AllOf(HasSubstr("'first' and 'second'"), message)));
  };
  refuses(made("second", {2, 4, 4}, 7),
          AllOf(HasSubstr("[2, 3, 4] and [2, 4, 4]"), HasSubstr("training.micro_batch=1")));
  refuses(made("second", {2, 3, 4}, 7, at::kUInt16), HasSubstr("one vocabulary"));
  EXPECT_THAT([] { stack_masks({}); }, throws_failure(HasSubstr("empty")));
}

}  // namespace
}  // namespace guidegen
