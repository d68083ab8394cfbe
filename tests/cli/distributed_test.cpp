// Several real processes on this machine, Gloo between them.
#include <gmock/gmock.h>
#include <torch/torch.h>

#include "cli/toy_training.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;
using testing_support::free_port;
using testing_support::ProgramResult;

class Distributed : public testing_support::ToyTraining {
 protected:
  // Without clipping AdamW's first moment after one step is a tenth of the gradient.
  void expect_same_gradients(const std::string& one, const std::string& other) const {
    const auto expected = optimizer_state(one, 1), actual = optimizer_state(other, 1);
    ASSERT_EQ(expected.size(), actual.size());
    for (const auto& [name, value] : expected) {
      if (name.rfind("exp_avg.", 0) != 0) continue;
      const auto difference = 10 * (value - actual.at(name)).abs().max().item<double>();
      EXPECT_LT(difference, 1e-5) << name;
    }
  }
  /// Returns as soon as `out` holds a checkpoint; the test fails when `writer` ends without one.
  void wait_for_a_checkpoint(const std::string& out, const testing_support::Program& writer) const {
    const auto checkpoints = folder_.path() / out / "checkpoints";
    const auto there = [&] {
      if (!std::filesystem::exists(checkpoints)) return false;
      for (const auto& entry : std::filesystem::directory_iterator(checkpoints)) {
        if (entry.path().filename().string().rfind("step-", 0) == 0) return true;
      }
      return false;
    };
    while (!there()) {
      ASSERT_FALSE(writer.ended()) << "it ended before its first checkpoint";
      ::usleep(2000);
    }
  }

  const std::vector<std::string> one_step_ = {"training.steps=1", "training.optimizer.clip_norm=0"};
};

class Launched : public Distributed,
                 public testing::WithParamInterface<std::tuple<int, const char*>> {};

TEST_P(Launched, ProcessesFindTheGradientsOfOneProcessWithTheJoinedBatch) {
  const auto [count, launcher] = GetParam();
  ASSERT_EQ(run("one", one_step_).exit_code, 0);
  run_together(count, launcher, "several", one_step_);
  expect_same_gradients("one", "several");
}

INSTANTIATE_TEST_SUITE_P(Worlds, Launched,
                         testing::Combine(testing::Values(2, 3, 4),
                                          testing::Values("torchrun", "slurm")));

TEST_F(Distributed, AccumulationOverMicroBatchesChangesNothing) {
  ASSERT_EQ(run("one", one_step_).exit_code, 0);
  auto split = one_step_;
  split.push_back("training.micro_batch=1");
  run_together(2, "torchrun", "several", split);
  expect_same_gradients("one", "several");
}

TEST_F(Distributed, AKilledProcessEndsTheOthersAndARestartEndsWithTheSameWeights) {
  const std::vector<std::string> long_run = {"training.steps=60"};  // the blow falls long before
  run_together(3, "torchrun", "whole", long_run);
  auto programs = start(3, "torchrun", "killed", long_run, free_port());
  wait_for_a_checkpoint("killed", *programs[0]);
  programs[1]->send(SIGKILL);
  EXPECT_EQ(programs[1]->wait().exit_code, -SIGKILL);
  for (const size_t survivor : {0U, 2U}) {
    const ProgramResult result = programs[survivor]->wait();
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("lost another one"));
    EXPECT_THAT(result.err, HasSubstr("--resume"));
  }
  run_together(3, "torchrun", "killed", {"--resume", "training.steps=60"});
  EXPECT_EQ(final_weights("killed"), final_weights("whole"));
}

TEST_F(Distributed, ARestartWithAnotherNumberOfProcessesGoesOnWithTheSameCases) {
  run_together(2, "torchrun", "whole");
  run_together(2, "torchrun", "moved", {"training.steps=6", "training.checkpoint_every=3"});
  std::filesystem::remove_all(folder_.path() / "moved/checkpoints/step-6");
  std::filesystem::remove_all(folder_.path() / "moved/model");
  run_together(4, "slurm", "moved", {"--resume", "training.checkpoint_every=3"});
  const auto whole = optimizer_state("whole", 6), moved = optimizer_state("moved", 6);
  for (const auto& [name, value] : whole) {
    if (name.rfind("exp_avg.", 0) != 0) continue;
    EXPECT_TRUE(at::allclose(value, moved.at(name), 1e-2, 1e-4)) << name;
  }
}

TEST_F(Distributed, ASignalToOneProcessStopsAllAfterACheckpoint) {
  auto programs = start(2, "torchrun", "run", {"training.steps=100000"}, free_port());
  wait_for_a_checkpoint("run", *programs[0]);
  programs[1]->send(SIGTERM);
  for (const auto& program : programs) EXPECT_EQ(program->wait().exit_code, 143);
  int64_t newest = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_.path() / "run/checkpoints")) {
    newest = std::max<int64_t>(newest, std::stoll(entry.path().filename().string().substr(5)));
  }
  const auto metrics = read_file(folder_.path() / "run/metrics.jsonl");
  const auto lines = std::count(metrics.begin(), metrics.end(), '\n');
  EXPECT_EQ(newest, lines) << "the checkpoint is that of the last step made";
}

TEST_F(Distributed, OnlyTheFirstProcessSpeaksAndWrites) {
  const auto programs = start(2, "torchrun", "run", one_step_, free_port());
  EXPECT_THAT(programs[0]->wait().err, HasSubstr("2 processes train together"));
  EXPECT_EQ(programs[1]->wait().err, "");
}

TEST_F(Distributed, MistakesAreOneLine) {
  const auto bad = [&](const testing_support::Environment& environment,
                       const std::vector<std::string>& more = {}) {
    return run("run", more, environment);
  };
  EXPECT_EQ(bad({{"WORLD_SIZE", "2"}}).exit_code, 2);
  EXPECT_THAT(bad({{"WORLD_SIZE", "2"}, {"RANK", "7"}}).err, HasSubstr("RANK=7"));
  const auto few = start(2, "torchrun", "run", {"training.batch=1"}, free_port());
  for (const auto& program : few) {
    const auto result = program->wait();
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("training.batch"));
  }
}

}  // namespace
}  // namespace guidegen
