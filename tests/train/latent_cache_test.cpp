#include "guidegen/train/latent_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/train/trainer.hpp"
#include "stages/toy_cases.hpp"
#include "train/toy_dataset.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

class LatentCacheTest : public ::testing::Test {
 protected:
  // What the "autoencoder" makes is told from how often it was asked.
  LatentCache cache(const fs::path& folder, const std::string& autoencoder = "weights",
                    int64_t most_bytes = 1 << 20) {
    return {folder, autoencoder,
            [this](const TrainingCase&) {
              ++encoded_;
              const auto value = static_cast<double>(encoded_);
              return HdrAutoencoderImpl::Posterior{at::full({1, 4, 4, 4, 4}, value),
                                                   at::full({1, 4, 4, 4, 4}, -value)};
            },
            most_bytes};
  }
  static double value(const CtLatents& latents) {
    EXPECT_EQ(latents.log_variance.min().item<double>(), -latents.mean.max().item<double>());
    return latents.mean.min().item<double>();
  }

  TemporaryFolder folder_;
  const Vocabulary vocabulary_ = Vocabulary::load("torso");
  std::shared_ptr<const TrainingCase> first_ = toy::toy_case({16, 16, 16}, vocabulary_, "a");
  int encoded_ = 0;
};

TEST_F(LatentCacheTest, EncodesACaseOnce) {
  auto memory = cache({});
  EXPECT_EQ(value(memory.load(*first_)), 1);
  EXPECT_EQ(value(memory.load(*first_)), 1);
  EXPECT_TRUE(memory.path_of(*first_).empty());
  const auto folder = folder_.path() / "latents";
  EXPECT_EQ(value(cache(folder).load(*first_)), 2);
  EXPECT_EQ(value(cache(folder).load(*first_)), 2);  // another run
  EXPECT_EQ(encoded_, 2);
}

TEST_F(LatentCacheTest, GoesByWeightsAndVoxels) {
  const auto folder = folder_.path() / "latents";
  EXPECT_EQ(value(cache(folder).load(*first_)), 1);
  EXPECT_EQ(value(cache(folder, "others").load(*first_)), 2);
  auto renamed = *first_;
  renamed.id = "b";
  EXPECT_EQ(value(cache(folder).load(renamed)), 1);
  auto changed = *first_;
  changed.ct = first_->ct.clone();
  changed.ct[3][4][5].add_(1);
  EXPECT_EQ(value(cache(folder).load(changed)), 3);
}

TEST_F(LatentCacheTest, MakesDamagedFilesAnew) {
  const auto folder = folder_.path() / "latents";
  const auto path = cache(folder).path_of(*first_);
  cache(folder).load(*first_);
  const auto good = read_file(path);
  auto flipped = good;
  flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 0x10);
  int expected = 1;
  for (const auto& bytes : {std::string(), good.substr(0, good.size() / 2), flipped}) {
    write_file_atomic(path, bytes);
    EXPECT_EQ(value(cache(folder).load(*first_)), ++expected);
    EXPECT_EQ(value(cache(folder).load(*first_)), expected);
  }
}

TEST_F(LatentCacheTest, HoldsNoMoreInMemoryThanItMay) {
  const auto second = toy::toy_case({16, 16, 20}, vocabulary_, "b");
  constexpr int64_t kOneCase = 2 * 4 * 64 * 4;
  auto small = cache({}, "weights", kOneCase);
  EXPECT_EQ(value(small.load(*first_)), 1);
  EXPECT_EQ(value(small.load(*second)), 2);
  EXPECT_EQ(value(small.load(*second)), 3);  // had no room
  EXPECT_EQ(value(small.load(*first_)), 1);
}

TEST_F(LatentCacheTest, GoesOnWhereNothingCanBeStored) {
  write_file_atomic(folder_.path() / "file", "");
  auto none = cache(folder_.path() / "file" / "latents");
  EXPECT_EQ(value(none.load(*first_)), 1);
  EXPECT_EQ(value(none.load(*first_)), 1);
}

TEST(LatentMoments, AreThoseOfAllValues) {
  torch::manual_seed(4);
  const auto a = at::randn({1, 3, 2, 4, 5}) * 3 + 100, b = at::randn({1, 3, 4, 4, 4});
  LatentMoments moments;
  moments.add(a);
  moments.add(b);
  const auto found = moments.finish();
  const auto all = at::cat({a.flatten(2), b.flatten(2)}, 2)[0].to(at::kDouble);
  for (int64_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(found.mean[c], all[c].mean().item<double>(), 1e-9);
    EXPECT_NEAR(found.deviation[c], all[c].std().item<double>(), 1e-9);
  }
}

// Stage II tells how its latents are distributed; stage III normalizes by that, takes latents from
// the folder, and comes out the same from there.
TEST(StageThree, TakesStatisticsAndLatentsFromWhatIsThere) {
  TemporaryFolder folder;
  const auto dataset = toy::toy_dataset(folder.path() / "data", 4);
  TrainingConfig config;
  config.steps = 2;
  config.preview_every = 0;
  config.validation_share = 0;
  config.optimizer.warmup_steps = 1;
  torch::manual_seed(1);
  const Json tiny = parse_json(
      R"({"half_width": 8, "quarter_width": 8, "blocks": 1, "full_width": 4, "crop": 16})", "test");
  train(*make_autoencoder_task(tiny, "test", dataset.vocabulary()), dataset, config,
        {folder.path() / "two"});
  const auto model = folder.path() / "two" / "model";
  const auto statistics = read_model_description(model).stages.at(2).latent_statistics;
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->mean.size(), 4U);
  EXPECT_THAT(statistics->deviation, ::testing::Each(::testing::Gt(0.0)));

  const auto latents = folder.path() / "latents";
  for (const char* sampling : {"false", "true"}) {
    const Json network = parse_json(
        std::string(R"({"unet": {"channels": [8, 16], "attention_from": 1}, "mask_width": 8,)") +
            R"("sample_posterior": )" + sampling + "}",
        "test");
    const auto trained = [&](const std::string& name, const fs::path& cache) {
      torch::manual_seed(1);
      train(*make_generator_task(network, "test", dataset.vocabulary(), model, cache), dataset,
            config, {folder.path() / (name + sampling)});
      return read_file(folder.path() / (name + sampling) / "model" / "stage3.safetensors");
    };
    const auto plain = trained("plain", {});
    EXPECT_EQ(plain, trained("storing", latents));
    EXPECT_EQ(plain, trained("stored", latents));
  }
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(latents)) files += entry.is_regular_file();
  EXPECT_GE(files, 2U);
  EXPECT_LE(files, 4U);
}

}  // namespace
}  // namespace guidegen
