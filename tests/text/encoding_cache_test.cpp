#include "guidegen/text/encoding_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

// A text of n characters has n tokens of its first character's code.
TextFeatures toy_features(const std::vector<std::string>& texts) {
  size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  const auto b = static_cast<int64_t>(texts.size()), t = static_cast<int64_t>(longest);
  TextFeatures out{at::full({b, t, 2}, -1.0), at::zeros({b, t}, at::kBool), at::zeros({b, 3})};
  for (int64_t i = 0; i < b; ++i) {
    const auto& text = texts[static_cast<size_t>(i)];
    const auto length = static_cast<int64_t>(text.size());
    out.tokens[i].slice(0, 0, length).fill_(int64_t{text[0]});
    out.present[i].slice(0, 0, length).fill_(true);
    out.sentence[i].fill_(length);
  }
  return out;
}

class EncodingCacheTest : public ::testing::Test {
 protected:
  EncodingCache make(EncodingCache::Options options, const std::string& fingerprint = "weights") {
    return {fingerprint,
            [this](const std::vector<std::string>& texts) {
              encoded_ += static_cast<int>(texts.size());
              return toy_features(texts);
            },
            std::move(options)};
  }
  EncodingCache::Options on_disk() const { return {uint64_t{1} << 20, true, folder_ / "cache"}; }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "cache")) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    return found;
  }

  TemporaryFolder folder_;
  std::atomic<int> encoded_{0};
};

TEST_F(EncodingCacheTest, EncodesEachTextOnceAndGivesWhatTheEncoderGives) {
  auto cache = make({});
  cache.get({"bb", "dddd"});
  const auto out = cache.get({"a", "dddd", "a", "bb"});
  EXPECT_EQ(encoded_, 3);
  const auto wanted = toy_features({"a", "dddd", "a", "bb"});
  EXPECT_TRUE(at::equal(out.present, wanted.present));
  EXPECT_TRUE(at::equal(out.sentence, wanted.sentence));
  const auto shown = wanted.present.unsqueeze(-1);
  EXPECT_TRUE(at::equal(out.tokens * shown, wanted.tokens * shown));
  EXPECT_EQ(cache.counters().hits, 2);
  EXPECT_EQ(cache.counters().misses, 3);
}

TEST_F(EncodingCacheTest, SentencesAloneLeaveTokensOut) {
  auto cache = make({uint64_t{1} << 20, false, {}});
  const auto out = cache.get({"abc", "x"});
  EXPECT_FALSE(out.tokens.defined());
  EXPECT_EQ(out.sentence.sizes(), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(cache.bytes(), 2U * 3U * 4U);
}

TEST_F(EncodingCacheTest, ForgetsWhatWasNotUsedForLongest) {
  auto cache = make({3 * 12, false, {}});  // three sentences
  cache.get({"a"});
  cache.get({"b"});
  cache.get({"c"});
  cache.get({"a"});
  cache.get({"d"});  // b goes
  EXPECT_EQ(cache.bytes(), 36U);
  cache.get({"a", "c", "d"});
  EXPECT_EQ(encoded_, 4);
  cache.get({"b"});
  EXPECT_EQ(encoded_, 5);
}

TEST_F(EncodingCacheTest, TheFolderOutlivesTheProcess) {
  make(on_disk()).get({"abc", "x"});
  auto cache = make(on_disk());
  const auto out = cache.get({"x", "abc"});
  EXPECT_EQ(encoded_, 2);
  EXPECT_EQ(cache.counters().disk_hits, 2);
  EXPECT_EQ(out.tokens[1][2][0].item<float>(), 'a');
}

TEST_F(EncodingCacheTest, OtherWeightsShareNothing) {
  make(on_disk()).get({"abc"});
  make(on_disk(), "other weights").get({"abc"});
  EXPECT_EQ(encoded_, 2);
}

TEST_F(EncodingCacheTest, DamagedFilesAreComputedAgain) {
  set_log_level(LogLevel::kQuiet);
  make(on_disk()).get({"abc"});
  ASSERT_EQ(files().size(), 1U);
  const auto path = files().front();
  const auto good = read_file(path);
  std::string flipped = good;
  flipped[flipped.size() - 2] ^= 1;
  for (const auto& bytes : {good.substr(0, good.size() / 2), std::string("nonsense"), flipped}) {
    write_file_atomic(path, bytes);
    encoded_ = 0;
    EXPECT_EQ(make(on_disk()).get({"abc"}).sentence[0][0].item<float>(), 3.0F);
    EXPECT_EQ(encoded_, 1);
    EXPECT_EQ(read_file(path), good);
  }
  set_log_level(LogLevel::kInfo);
}

TEST_F(EncodingCacheTest, ServesSeveralThreads) {
  auto cache = make({40, false, {}});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const std::string text(1 + static_cast<size_t>((i * (thread + 1)) % 7), 'x');
        const auto out = cache.get({text, "y"});
        if (out.sentence[0][0].item<float>() != static_cast<float>(text.size())) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  const auto counters = cache.counters();
  EXPECT_EQ(counters.hits + counters.misses, 4 * 200 * 2);
  EXPECT_LE(cache.bytes(), 40U);
}

}  // namespace
}  // namespace guidegen
