#include "guidegen/data/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"

namespace guidegen {
namespace {

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() : dataset_(write_cases(folder_.path() / "data")) {}

  static Dataset write_cases(const std::filesystem::path& root) {
    const auto vocabulary = Vocabulary::load("torso");
    DatasetWriter writer(root, vocabulary);
    for (int i = 0; i < 5; ++i) {
      const auto geometry = centered_geometry({16, 16, 16}, {6, 6, 6});
      Prompt prompt;
      prompt.id = "case-" + std::to_string(i);
      writer.add(prompt, {at::full({1, 16, 16, 16}, vocabulary.body(), at::kByte), geometry},
                 {at::full({1, 16, 16, 16}, 10.0 * i, at::kFloat), geometry});
    }
    writer.finish();
    return Dataset::open(root);
  }

  /// Ids of the batches of steps `first` … `last`-1.
  std::vector<std::string> ids(int64_t first, int64_t last, bool with_ct = false) const {
    PrefetchLoader::Options options;
    options.batch = 2;
    options.seed = 3;
    options.with_ct = with_ct;
    PrefetchLoader loader(dataset_, {0, 1, 2, 3, 4}, options, first);
    std::vector<std::string> out;
    for (int64_t step = first; step < last; ++step) {
      for (const auto& item : loader.next()) out.push_back(item->id);
    }
    return out;
  }

  TemporaryFolder folder_;
  Dataset dataset_;
};

TEST_F(LoaderTest, EveryEpochHoldsEachCaseOnce) {
  const auto all = ids(0, 10);  // four epochs of five
  ASSERT_EQ(all.size(), 20U);
  for (size_t epoch = 0; epoch < 4; ++epoch) {
    const std::vector<std::string> one(all.begin() + int64_t(epoch) * 5,
                                       all.begin() + int64_t(epoch) * 5 + 5);
    EXPECT_THAT(one,
                testing::UnorderedElementsAre("case-0", "case-1", "case-2", "case-3", "case-4"));
  }
}

TEST_F(LoaderTest, StartingInTheMiddleSeesWhatAWholeRunSees) {
  const auto whole = ids(0, 9);
  const auto rest = ids(4, 9);
  EXPECT_EQ(rest, std::vector<std::string>(whole.begin() + 8, whole.end()));
}

TEST_F(LoaderTest, ReadsTheCtOnlyWhenAsked) {
  const auto without = load_training_case(dataset_, 2, false);
  EXPECT_FALSE(without->ct.defined());
  const auto with = load_training_case(dataset_, 2, true);
  ASSERT_TRUE(with->ct.defined());
  EXPECT_EQ(with->ct.scalar_type(), at::kShort);
  EXPECT_EQ(with->ct.max().item<int>(), 20);
}

TEST_F(LoaderTest, PassesOnWhatGoesWrongInTheBackground) {
  std::filesystem::remove(folder_.path() / "data" / "case-1" / "mask.nii.gz");
  EXPECT_THAT([&] { ids(0, 5); }, throws_failure(testing::HasSubstr("mask.nii.gz")));
}

TEST_F(LoaderTest, RefusesAnEmptySelection) {
  EXPECT_THAT(([&] { PrefetchLoader(dataset_, {}, {}, 0); }),
              throws_usage(testing::HasSubstr("no case")));
}

}  // namespace
}  // namespace guidegen
