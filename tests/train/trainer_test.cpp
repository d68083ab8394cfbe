#include "guidegen/train/trainer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "train/toy_dataset.hpp"

namespace guidegen {
namespace {

const char* const kTinySynthesizer =
    R"({"unet": {"channels": [8, 16], "attention_from": 1}, "timesteps": 20, "planner_steps": 5, "sampling_steps": 2})";

TrainingConfig short_run(int64_t steps) {
  TrainingConfig config;
  config.steps = steps;
  config.batch = 2;
  config.log_every = 1;
  config.checkpoint_every = 2;
  config.preview_every = 0;
  config.validation_share = 0;
  config.optimizer.warmup_steps = 2;
  return config;
}

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() : dataset_(toy::toy_dataset(folder_.path() / "data", 5)) {}

  std::unique_ptr<StageTask> task(int64_t planner_steps = 5) const {
    torch::manual_seed(11);
    Json network = parse_json(kTinySynthesizer, "test");
    network["planner_steps"] = planner_steps;
    return make_synthesizer_task(network, "test", dataset_.vocabulary());
  }

  void run(const std::string& name, const TrainingConfig& config, bool resume) const {
    train(*task(), dataset_, config, {folder_.path() / name, resume});
  }

  std::string file(const std::string& name) const { return read_file(folder_.path() / name); }

  TemporaryFolder folder_;
  Dataset dataset_;
};

TEST_F(TrainerTest, ResumedRunEqualsAnUninterruptedOneBitForBit) {
  const auto config = short_run(6);
  run("whole", config, false);
  run("killed", config, false);
  // What a kill after step 5 leaves: the checkpoint of step 4 and metrics beyond it.
  const auto killed = folder_.path() / "killed";
  std::filesystem::remove_all(killed / "checkpoints" / "step-6");
  std::filesystem::remove_all(killed / "model");
  run("killed", config, true);
  EXPECT_EQ(file("killed/model/stage1.safetensors"), file("whole/model/stage1.safetensors"));
  EXPECT_EQ(file("killed/checkpoints/step-6/weights.safetensors"),
            file("whole/checkpoints/step-6/weights.safetensors"));
  EXPECT_EQ(file("killed/checkpoints/step-6/optimizer.safetensors"),
            file("whole/checkpoints/step-6/optimizer.safetensors"));
}

TEST_F(TrainerTest, MetricsHoldEachStepOnceAfterAResume) {
  const auto config = short_run(6);
  run("run", config, false);
  std::filesystem::remove_all(folder_.path() / "run" / "checkpoints" / "step-6");
  run("run", config, true);
  std::istringstream lines(file("run/metrics.jsonl"));
  std::vector<int64_t> steps;
  for (std::string line; std::getline(lines, line);) {
    steps.push_back(parse_json(line, "metrics")["step"].get<int64_t>());
  }
  EXPECT_THAT(steps, ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(TrainerTest, DamagedNewestCheckpointFallsBackToTheOneBefore) {
  const auto config = short_run(6);
  run("whole", config, false);
  run("damaged", config, false);
  const auto newest = folder_.path() / "damaged" / "checkpoints" / "step-6";
  auto bytes = read_file(newest / "weights.safetensors");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
  write_file_atomic(newest / "weights.safetensors", bytes);
  std::filesystem::remove_all(folder_.path() / "damaged" / "model");
  run("damaged", config, true);  // goes back to step 4 and repeats the rest
  EXPECT_EQ(file("damaged/model/stage1.safetensors"), file("whole/model/stage1.safetensors"));
}

TEST_F(TrainerTest, RefusesARunThatExistsOrWasConfiguredOtherwise) {
  run("run", short_run(2), false);
  EXPECT_THAT([&] { run("run", short_run(2), false); },
              throws_usage(::testing::HasSubstr("--resume")));
  auto other = short_run(2);
  other.optimizer.learning_rate = 1e-3;
  EXPECT_THAT([&] { run("run", other, true); },
              throws_usage(::testing::HasSubstr("another configuration")));
}

TEST_F(TrainerTest, ResumeGoesOnToAnotherNumberOfSteps) {
  run("run", short_run(3), false);
  auto longer = short_run(5);
  longer.log_every = 2;
  run("run", longer, true);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "run/checkpoints/step-5"));
  const auto config = file("run/config.json");
  EXPECT_THAT([&] { run("run", short_run(4), true); },
              throws_usage(::testing::HasSubstr("has been trained for 5 steps")));
  EXPECT_EQ(file("run/config.json"), config);
}

TEST_F(TrainerTest, StartsFromTheWeightsOfAnotherModelButKeepsItsOwnPlanner) {
  run("first", short_run(4), false);
  auto still = short_run(1);
  still.optimizer.learning_rate = 0;
  constexpr int64_t kOtherFit = 9;  // steps, so that its planner is another one
  train(*task(kOtherFit), dataset_, still, {folder_.path() / "measured"});
  train(*task(kOtherFit), dataset_, still,
        {folder_.path() / "second", false, folder_.path() / "first/model"});
  const auto weights = [&](const std::string& name) {
    return read_safetensors(folder_.path() / name / "model/stage1.safetensors").tensors;
  };
  const auto first = weights("first"), measured = weights("measured"), second = weights("second");
  EXPECT_TRUE(at::equal(second.at("output.weight"), first.at("output.weight")));
  const auto* planner = "planner.group_logits";
  EXPECT_TRUE(at::equal(second.at(planner), measured.at(planner)));
  EXPECT_FALSE(at::equal(first.at(planner), measured.at(planner)));
  const auto provenance =
      read_model_description(folder_.path() / "second/model").stages.at(1).provenance;
  EXPECT_EQ(provenance["initial_weights_sha256"],
            sha256_file(folder_.path() / "first/model/stage1.safetensors"));
}

TEST_F(TrainerTest, RefusesToStartFromAModelWithoutTheStage) {
  run("first", short_run(1), false);
  auto description = read_model_description(folder_.path() / "first/model");
  description.stages.clear();
  const auto without = folder_.path() / "first/model";
  write_file_atomic(without / "model.json", dump_json(to_json(description)));
  EXPECT_THAT(
      [&] {
        train(*task(), dataset_, short_run(1), {folder_.path() / "run", false, without});
      },
      throws_usage(::testing::HasSubstr("holds no stage 1")));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "run"));
}

TEST_F(TrainerTest, MicroBatchesAndCheckpointedActivationsChangeRoundingAlone) {
  auto config = short_run(1);
  config.batch = 3;
  config.optimizer.clip_norm = 0;  // then the first moment is a tenth of the gradient
  run("whole", config, false);
  const auto gradients = [&](const std::string& name) {
    return read_safetensors(folder_.path() / name / "checkpoints/step-1/optimizer.safetensors")
        .tensors;
  };
  auto split = config;
  split.micro_batch = 2;
  run("split", split, false);
  auto again = config;
  again.activation_checkpointing = {0, 1};
  run("again", again, false);
  const auto whole = gradients("whole");
  for (const auto* name : {"split", "again"}) {
    for (const auto& [key, value] : gradients(name)) {
      if (key.rfind("exp_avg.", 0) != 0) continue;
      EXPECT_TRUE(at::allclose(value, whole.at(key), 1e-4, 1e-6)) << name << " " << key;
    }
  }
}

TEST_F(TrainerTest, TheCheckpointThatValidatesBestStays) {
  auto config = short_run(8);
  config.validation_share = 0.5;
  config.checkpoint_every = 1;
  config.keep_checkpoints = 1;
  config.optimizer.learning_rate = 0.3;  // so much, to the end, that the last step is not the best
  config.optimizer.final_share = 1.0;
  run("run", config, false);
  std::istringstream lines(file("run/metrics.jsonl"));
  int64_t best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (std::string line; std::getline(lines, line);) {
    const Json metrics = parse_json(line, "metrics");
    if (!metrics.contains("validation_loss")) continue;
    if (metrics["validation_loss"].get<double>() >= lowest) continue;
    lowest = metrics["validation_loss"].get<double>();
    best = metrics["step"].get<int64_t>();
  }
  ASSERT_GT(best, 0);
  ASSERT_LT(best, 8);
  std::set<std::string> expected = {"step-8", concat("step-", best)};
  std::set<std::string> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_.path() / "run" / "checkpoints")) {
    found.insert(entry.path().filename().string());
  }
  EXPECT_EQ(found, expected);
}

TEST_F(TrainerTest, TwoRunsIntoOneFolderAtOnceAreRefused) {
  make_directories(folder_.path() / "run");
  const OutputFolder other(folder_.path() / "run");
  EXPECT_THAT([&] { run("run", short_run(1), false); },
              throws_usage(::testing::HasSubstr("another run")));
}

TEST_F(TrainerTest, WhatAKilledRunLeftHalfWrittenGoes) {
  run("run", short_run(2), false);
  const auto stale = folder_.path() / "run/checkpoints/.guidegen-1-1.partial";
  make_directories(stale);
  run("run", short_run(3), true);
  EXPECT_FALSE(std::filesystem::exists(stale));
}

TEST_F(TrainerTest, ProfileWritesATrace) {
  RunOptions options;
  options.out = folder_.path() / "run";
  options.profile = true;
  train(*task(), dataset_, short_run(8), options);
  const auto trace = file("run/trace.json");
  for (const auto* range :
       {"traceEvents", "wait for data", "forward", "backward", "optimizer", "aten::convolution"}) {
    EXPECT_THAT(trace, ::testing::HasSubstr(range));
  }
}

TEST_F(TrainerTest, LossFalls) {
  auto config = short_run(60);
  config.optimizer.learning_rate = 5e-3;
  config.checkpoint_every = 60;
  run("run", config, false);
  std::istringstream lines(file("run/metrics.jsonl"));
  std::vector<double> losses;
  for (std::string line; std::getline(lines, line);) {
    losses.push_back(parse_json(line, "metrics")["cross_entropy"].get<double>());
  }
  ASSERT_EQ(losses.size(), 60U);
  const auto mean = [&](size_t from) {
    return std::accumulate(losses.begin() + int64_t(from), losses.begin() + int64_t(from) + 10,
                           0.0) /
           10;
  };
  EXPECT_LT(mean(50), 0.7 * mean(0));
}

TEST_F(TrainerTest, ModelDirectoryHoldsAveragedFiniteWeights) {
  run("run", short_run(3), false);
  const auto description = read_model_description(folder_.path() / "run" / "model");
  ASSERT_EQ(description.stages.count(1), 1U);
  EXPECT_EQ(description.geometry.size, (std::array<int64_t, 3>{16, 16, 16}));
  const auto weights = read_safetensors(folder_.path() / "run" / "model" / "stage1.safetensors");
  EXPECT_GT(weights.tensors.size(), 20U);
}

}  // namespace
}  // namespace guidegen
