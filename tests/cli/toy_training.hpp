#pragma once

#include <gtest/gtest.h>

#include <map>

#include "cli/free_port.hpp"
#include "cli/run_program.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "train/toy_dataset.hpp"

namespace guidegen::testing_support {

/// Runs `guidegen train stage1` with a tiny network on a tiny data set, in one process or several.
class ToyTraining : public ::testing::Test {
 protected:
  ToyTraining() { toy::toy_dataset(folder_.path() / "data", 5); }

  static std::vector<std::string> arguments(const std::string& out,
                                            const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"train", "stage1", "--data",   "data",
                                      "--out", out,      "--device", "cpu"};
    for (const auto* word :
         {"network.unet.channels=[8,16]", "network.timesteps=20", "network.planner_steps=5",
          "training.batch=4", "training.steps=6", "training.checkpoint_every=2",
          "training.preview_every=0", "training.log_every=1", "training.validation_share=0",
          "training.optimizer.warmup_steps=2"}) {
      words.push_back(word);
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  ProgramResult run(const std::string& out, const std::vector<std::string>& more = {},
                    const Environment& environment = {}) const {
    return run_program(arguments(out, more), folder_.path(), environment);
  }

  /// Starts `count` processes that meet at `port`, as torchrun would or as srun would.
  std::vector<std::unique_ptr<Program>> start(int count, const std::string& launcher,
                                              const std::string& out,
                                              const std::vector<std::string>& more,
                                              const std::string& port) const {
    std::vector<std::unique_ptr<Program>> programs;
    for (int rank = 0; rank < count; ++rank) {
      Environment variables = {{"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", port}};
      const auto number = std::to_string(rank), size = std::to_string(count);
      if (launcher == "torchrun") {
        variables["RANK"] = number;
        variables["WORLD_SIZE"] = size;
        variables["LOCAL_RANK"] = number;
      } else {
        variables["SLURM_PROCID"] = number;
        variables["SLURM_NTASKS"] = size;
        variables["SLURM_LOCALID"] = number;
        variables["SLURM_STEP_ID"] = "0";
        variables["SLURM_JOB_ID"] = "4711";
      }
      programs.push_back(
          std::make_unique<Program>(arguments(out, more), folder_.path(), variables));
    }
    return programs;
  }

  /// The same, waiting for all of them; none may fail.
  void run_together(int count, const std::string& launcher, const std::string& out,
                    const std::vector<std::string>& more = {}) const {
    for (const auto& program : start(count, launcher, out, more, free_port())) {
      const auto result = program->wait();
      ASSERT_EQ(result.exit_code, 0) << result.err;
    }
  }

  std::string final_weights(const std::string& out) const {
    return sha256_file(folder_.path() / out / "model/stage1.safetensors");
  }
  std::map<std::string, at::Tensor> optimizer_state(const std::string& out, int64_t step) const {
    return read_safetensors(folder_.path() / out / "checkpoints" / concat("step-", step) /
                            "optimizer.safetensors")
        .tensors;
  }

  TemporaryFolder folder_;
};

}  // namespace guidegen::testing_support
