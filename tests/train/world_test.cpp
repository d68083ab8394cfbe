#include "guidegen/train/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;

/// The variables of launchers, set as told and gone afterwards.
class WorldTest : public ::testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }

  static void set(const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  static void clear() {
    for (const auto* name :
         {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT",
          "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT", "SLURM_PROCID",
          "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_STEP_ID", "SLURM_JOB_ID", "SLURM_STEP_NODELIST",
          "SLURM_JOB_NODELIST", "SLURM_RESTART_COUNT"}) {
      ::unsetenv(name);
    }
  }
};

TEST_F(WorldTest, WithoutALauncherThereIsOneProcess) {
  EXPECT_TRUE(detect_world().alone());
  EXPECT_TRUE(detect_world().first());
}

TEST_F(WorldTest, ReadsWhatTorchrunSets) {
  set({{"RANK", "3"},
       {"WORLD_SIZE", "8"},
       {"LOCAL_RANK", "1"},
       {"MASTER_ADDR", "node-a"},
       {"MASTER_PORT", "29500"},
       {"TORCHELASTIC_USE_AGENT_STORE", "True"},
       {"TORCHELASTIC_RESTART_COUNT", "2"}});
  const World world = detect_world();
  EXPECT_EQ(world.rank, 3);
  EXPECT_EQ(world.size, 8);
  EXPECT_EQ(world.local_rank, 1);
  EXPECT_EQ(world.address, "node-a");
  EXPECT_EQ(world.port, 29500);
  EXPECT_TRUE(world.agent_store);
  EXPECT_EQ(world.attempt, 2);
}

TEST_F(WorldTest, ReadsTheStepOfASlurmJob) {
  set({{"SLURM_PROCID", "5"},
       {"SLURM_NTASKS", "16"},
       {"SLURM_LOCALID", "1"},
       {"SLURM_STEP_ID", "0"},
       {"SLURM_JOB_ID", "123456"},
       {"SLURM_STEP_NODELIST", "gpu[07-10]"}});
  const World world = detect_world();
  EXPECT_EQ(world.rank, 5);
  EXPECT_EQ(world.size, 16);
  EXPECT_EQ(world.local_rank, 1);
  EXPECT_EQ(world.address, "gpu07");
  EXPECT_FALSE(world.agent_store);
  EXPECT_GE(world.port, 20000);
  EXPECT_LT(world.port, 40000);
  const auto port = world.port;
  set({{"SLURM_JOB_ID", "123457"}});
  EXPECT_NE(detect_world().port, port);
  set({{"MASTER_PORT", "31000"}, {"MASTER_ADDR", "other"}});
  EXPECT_EQ(detect_world().port, 31000);
  EXPECT_EQ(detect_world().address, "other");
}

TEST_F(WorldTest, ABatchScriptOutsideOfAStepIsOneProcess) {
  set({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_JOB_ID", "1"}});
  EXPECT_TRUE(detect_world().alone());
}

TEST_F(WorldTest, RefusesWhatDoesNotFitTogether) {
  set({{"WORLD_SIZE", "2"}});
  EXPECT_THAT([] { detect_world(); }, throws_usage(HasSubstr("RANK is missing")));
  set({{"RANK", "2"}});
  EXPECT_THAT([] { detect_world(); }, throws_usage(HasSubstr("RANK=2, expected a number from 0")));
  set({{"RANK", "1"}});
  EXPECT_THAT([] { detect_world(); }, throws_usage(HasSubstr("MASTER_ADDR")));
  set({{"MASTER_ADDR", "x"}, {"MASTER_PORT", "high"}});
  EXPECT_THAT([] { detect_world(); }, throws_usage(HasSubstr("MASTER_PORT=high")));
}

}  // namespace
}  // namespace guidegen
