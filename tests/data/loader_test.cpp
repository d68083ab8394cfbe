#include "guidegen/data/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "data/small_dataset.hpp"

namespace guidegen {
namespace {

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() : dataset_(write_small_dataset(folder_.path() / "data", 5)) {}

  static PrefetchLoader::Options options(int64_t batch, int rank = 0, int world_size = 1) {
    PrefetchLoader::Options options;
    options.batch = batch;
    options.seed = 3;
    options.rank = rank;
    options.world_size = world_size;
    return options;
  }
  /// Ids of the batches of steps `first` … `last`-1.
  std::vector<std::string> ids(const PrefetchLoader::Options& options, int64_t first,
                               int64_t last) const {
    PrefetchLoader loader(dataset_, {0, 1, 2, 3, 4}, options, first);
    std::vector<std::string> out;
    for (int64_t step = first; step < last; ++step) {
      for (const auto& item : loader.next().cases) out.push_back(item->id);
    }
    return out;
  }
  std::vector<std::string> ids(int64_t first, int64_t last) const {
    return ids(options(2), first, last);
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

TEST_F(LoaderTest, ErrorsComeInTheirPlaceAndStay) {
  const auto order = ids(options(1), 0, 5);
  std::filesystem::remove(folder_.path() / "data" / order[2] / "mask.nii.gz");
  auto many = options(1);
  many.workers = 4;
  many.ahead = 5;
  PrefetchLoader loader(dataset_, {0, 1, 2, 3, 4}, many, 0);
  EXPECT_EQ(loader.next().cases[0]->id, order[0]);
  EXPECT_EQ(loader.next().cases[0]->id, order[1]);
  for (int time = 0; time < 2; ++time) {
    EXPECT_THAT([&] { loader.next(); }, throws_failure(testing::HasSubstr(order[2])));
  }
}

TEST_F(LoaderTest, RefusesAnEmptySelection) {
  EXPECT_THAT(([&] { PrefetchLoader(dataset_, {}, {}, 0); }),
              throws_usage(testing::HasSubstr("no case")));
}

TEST_F(LoaderTest, RefusesBatchesSmallerThanTheWorld) {
  EXPECT_THAT(([&] {
                PrefetchLoader(dataset_, {0, 1}, options(3, 1, 4), 0);
              }),
              throws_usage(testing::HasSubstr("training.batch: 3, expected at least 4")));
  EXPECT_THAT(([&] {
                PrefetchLoader(dataset_, {0, 1}, options(4, 2, 2), 0);
              }),
              throws_usage(testing::HasSubstr("rank 2 of 2")));
}

TEST_F(LoaderTest, SharesOfTheRanksMakeUpTheGlobalBatches) {
  constexpr int64_t kSteps = 6;
  for (int world_size = 1; world_size <= 5; ++world_size) {
    for (const int64_t batch : {1, 2, 3, 4, 5, 7, 8, 12}) {
      if (batch < world_size) continue;
      SCOPED_TRACE(concat(world_size, " ranks, batch ", batch));
      const auto whole = ids(options(batch), 0, kSteps);
      std::vector<std::string> together(whole.size());
      size_t most = 0;
      size_t least = whole.size();
      for (int rank = 0; rank < world_size; ++rank) {
        PrefetchLoader loader(dataset_, {0, 1, 2, 3, 4}, options(batch, rank, world_size), 0);
        for (int64_t step = 0; step < kSteps; ++step) {
          const auto share = loader.next();
          EXPECT_EQ(share.global_size, batch);
          most = std::max(most, share.cases.size());
          least = std::min(least, share.cases.size());
          for (size_t i = 0; i < share.cases.size(); ++i) {
            auto& place = together.at(static_cast<size_t>(step * batch + share.first) + i);
            EXPECT_TRUE(place.empty()) << "one rank a case";
            place = share.cases[i]->id;
          }
        }
      }
      EXPECT_EQ(together, whole);
      EXPECT_LE(most - least, 1U);
    }
  }
}

TEST_F(LoaderTest, ResumingOnOtherRanksGoesOnWithTheSameSequence) {
  const auto whole = ids(options(4), 0, 8);
  auto resumed = ids(options(4), 0, 3);
  std::vector<PrefetchLoader::Batch> shares;
  PrefetchLoader first(dataset_, {0, 1, 2, 3, 4}, options(4, 0, 2), 3);
  PrefetchLoader second(dataset_, {0, 1, 2, 3, 4}, options(4, 1, 2), 3);
  for (int64_t step = 3; step < 8; ++step) {
    for (auto* loader : {&first, &second}) {
      for (const auto& item : loader->next().cases) resumed.push_back(item->id);
    }
  }
  EXPECT_EQ(resumed, whole);
}

TEST_F(LoaderTest, OrderDoesNotDependOnWorkersCacheOrMemory) {
  const auto expected = ids(options(3), 0, 7);
  for (const int workers : {1, 3, 8}) {
    for (const int64_t ahead : {1, 4}) {
      for (const int64_t bytes : {0, 10000, 1 << 30}) {
        for (const char* cache : {"", "cache"}) {
          auto choice = options(3);
          choice.workers = workers;
          choice.ahead = ahead;
          choice.cache_bytes = bytes;
          if (*cache != '\0') choice.cache_directory = folder_ / cache;
          EXPECT_EQ(ids(choice, 0, 7), expected) << workers << ' ' << ahead << ' ' << bytes;
        }
      }
    }
  }
}

TEST_F(LoaderTest, KeepsCasesWithinItsMemoryAndSharesThem) {
  const auto again = [&](int64_t bytes, const std::filesystem::path& cache) {
    auto choice = options(1);
    choice.cache_bytes = bytes;
    choice.cache_directory = cache;
    choice.workers = 1;  // two that want a case at one time share it, kept or not
    PrefetchLoader loader(dataset_, {2}, choice, 0);
    const auto first = loader.next().cases[0];
    return first == loader.next().cases[0];
  };
  EXPECT_TRUE(again(16 * 16 * 16, {}));
  EXPECT_FALSE(again(16 * 16 * 16 - 1, {}));
  EXPECT_TRUE(again(0, folder_ / "cache")) << "a mapped case takes no memory of its own";
}

TEST_F(LoaderTest, StopsWithoutDecodingWhatNobodyAskedFor) {
  constexpr int kCases = 100;
  const Dataset many = write_small_dataset(folder_ / "many", kCases);
  std::vector<size_t> all(kCases);
  std::iota(all.begin(), all.end(), 0);
  auto choice = options(5);
  choice.workers = 4;
  choice.ahead = kCases / 5;
  int decoded = kCases;
  // This thread may have to wait for its turn while the others decode, but hardly every time.
  for (int attempt = 0; attempt < 5 && decoded >= kCases / 2; ++attempt) {
    choice.cache_directory = folder_ / std::to_string(attempt);
    { const PrefetchLoader loader(many, all, choice, 0); }
    decoded = static_cast<int>(
        std::distance(std::filesystem::directory_iterator(choice.cache_directory), {}));
  }
  EXPECT_LT(decoded, kCases / 2);
}

}  // namespace
}  // namespace guidegen
