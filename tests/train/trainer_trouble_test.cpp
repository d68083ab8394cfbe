// Runs in which something goes wrong: losses that are not finite, damaged checkpoints, settings
// that can't work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/train/trainer.hpp"
#include "train/toy_dataset.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;

/// Stage I whose loss is infinite in the steps from `first` up to `last`.
class FaultyTask final : public StageTask {
 public:
  FaultyTask(const Vocabulary& vocabulary, int64_t first, int64_t last)
      : real_(make_synthesizer_task(
            parse_json(R"({"unet": {"channels": [8, 16]}, "timesteps": 20, "planner_steps": 5})",
                       "test"),
            "test", vocabulary)),
        first_(first),
        last_(last) {}

  int stage() const override { return 1; }
  torch::nn::Module& module() override { return real_->module(); }
  bool needs_ct() const override { return false; }
  void measure(const CaseReader& read, const std::vector<size_t>& training,
               uint64_t seed) override {
    real_->measure(read, training, seed);
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    return real_->prepare(batch, randomness);
  }
  LossTerms loss(const StepInputs& inputs) override {
    auto terms = real_->loss(inputs);
    const bool faulty = step_ >= first_ && step_ < last_;
    ++step_;
    if (faulty) terms.total = terms.total * std::numeric_limits<double>::infinity();
    return terms;
  }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    real_->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override { return real_->preview(item); }
  Json network_config() const override { return real_->network_config(); }

 private:
  std::unique_ptr<StageTask> real_;
  int64_t first_, last_, step_ = 0;
};

class TrainerTrouble : public testing::Test {
 protected:
  TrainerTrouble() : dataset_(toy::toy_dataset(folder_.path() / "data", 5)) {
    config_.batch = 2;
    config_.log_every = 1;
    config_.checkpoint_every = 2;
    config_.preview_every = 0;
    config_.validation_share = 0;
  }

  void run(int64_t steps, int64_t first_faulty, int64_t last_faulty, bool resume = false) {
    config_.steps = steps;
    FaultyTask task(dataset_.vocabulary(), first_faulty, last_faulty);
    train(task, dataset_, config_, {folder_.path() / "run", resume});
  }
  std::set<std::string> checkpoints() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "run/checkpoints")) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }
  void damage(const std::string& checkpoint) const {
    write_file_atomic(folder_ / "run/checkpoints" / checkpoint / "weights.safetensors", "no");
  }

  TemporaryFolder folder_;
  Dataset dataset_;
  TrainingConfig config_;
};

TEST_F(TrainerTrouble, AFewLossesThatAreNotFiniteAreSkipped) {
  run(24, 1, 20);  // nineteen in a row, all of them logged
  std::istringstream lines(read_file(folder_ / "run/metrics.jsonl"));
  int missing = 0, finite = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json metrics = parse_json(line, "metrics");
    ++(metrics.at("loss").is_null() ? missing : finite);
  }
  EXPECT_EQ(missing, 19);
  EXPECT_EQ(finite, 5);
}

TEST_F(TrainerTrouble, ManyInARowEndTheRunAndSayWhatToChange) {
  EXPECT_THAT([&] { run(30, 1, 30); },
              throws_failure(testing::AllOf(HasSubstr("not finite for 20 steps in a row"),
                                            HasSubstr("training.optimizer.learning_rate"))));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/model"));
}

TEST_F(TrainerTrouble, DamagedCheckpointsDoNotPushOutTheOnesThatFollow) {
  config_.keep_checkpoints = 3;
  run(6, 0, 0);
  ASSERT_EQ(checkpoints(), (std::set<std::string>{"step-2", "step-4", "step-6"}));
  damage("step-4");
  damage("step-6");
  config_.keep_checkpoints = 1;
  run(3, 0, 0, true);  // goes on from 2, and saves a step numbered lower than the damaged ones
  EXPECT_EQ(checkpoints(), (std::set<std::string>{"step-3"}));
  run(4, 0, 0, true);
  EXPECT_EQ(checkpoints(), (std::set<std::string>{"step-4"}));
}

TEST_F(TrainerTrouble, SettingsOfTheLoaderThatCannotWorkLeaveNoFolder) {
  config_.workers = 0;
  EXPECT_THAT([&] { run(2, 0, 0); }, throws_usage(HasSubstr("expected at least one")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(TrainerTrouble, MeasuringReadsThroughTheCache) {
  config_.cache = (folder_ / "cache").string();
  config_.steps = 1;
  config_.batch = 1;
  FaultyTask task(dataset_.vocabulary(), 0, 0);
  train(task, dataset_, config_, {folder_.path() / "run"});
  const auto files = std::distance(std::filesystem::directory_iterator(folder_ / "cache"), {});
  EXPECT_EQ(files, 5) << "one step reads a few cases, measuring all of them";
}

}  // namespace
}  // namespace guidegen
