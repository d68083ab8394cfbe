#include "guidegen/train/training_config.hpp"

#include <gtest/gtest.h>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

TrainingConfig read(const Json& document) {
  return TrainingConfig::from_json(JsonObject(document.at("training"), "test", "training"));
}

TEST(TrainingConfig, OverridesLieOverThePreset) {
  const auto document = load_preset("demo", 1,
                                    {"training.steps=7", "training.optimizer.learning_rate=0.5",
                                     "training.precision=fp32", "network.unet.channels=[8,16]"});
  const auto config = read(document);
  EXPECT_EQ(config.steps, 7);
  EXPECT_EQ(config.optimizer.learning_rate, 0.5);
  EXPECT_EQ(config.precision, "fp32");
  EXPECT_EQ(document["network"]["unet"]["channels"].size(), 2U);
}

TEST(TrainingConfig, UnknownKeysNameTheNearestOne) {
  const auto document = load_preset("demo", 1, {"training.stepz=7"});
  EXPECT_THAT([&] { read(document); }, throws_usage(::testing::HasSubstr("steps")));
}

TEST(TrainingConfig, RefusesWhatIsNoOverrideOrNoPreset) {
  EXPECT_THAT([] { load_preset("demo", 1, {"steps"}); },
              throws_usage(::testing::HasSubstr("key=value")));
  EXPECT_THAT([] { load_preset("demo", 1, {"training..x=1"}); },
              throws_usage(::testing::HasSubstr("key path")));
  EXPECT_THAT([] { load_preset("nosuch", 1, {}); }, throws_usage(::testing::HasSubstr("nosuch")));
}

TEST(TrainingConfig, SurvivesJson) {
  TrainingConfig config;
  config.steps = 12;
  config.optimizer.clip_norm = 0.25;
  const Json json = {{"training", config.to_json()}};
  EXPECT_EQ(read(json).to_json(), config.to_json());
}

}  // namespace
}  // namespace guidegen
