// Training that is killed, or whose disk fails, at any moment.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <random>

#include "cli/toy_training.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::Program;

class InterruptedTraining : public testing_support::ToyTraining {
 protected:
  /// Every checkpoint folder holds what its state.json says.
  void expect_whole_checkpoints(const std::string& out) const {
    const auto root = folder_.path() / out / "checkpoints";
    if (!fs::exists(root)) return;
    for (const auto& entry : fs::directory_iterator(root)) {
      if (entry.path().filename().string().front() == '.') continue;
      const Json state = read_json_file(entry.path() / "state.json");
      for (const auto& [file, sha256] : state["sha256"].items()) {
        EXPECT_EQ(sha256_file(entry.path() / file), sha256) << entry.path() / file;
      }
    }
  }

  const std::vector<std::string> often_ = {"training.checkpoint_every=1", "training.steps=12"};
};

// $GUIDEGEN_KILLS asks for more blows than the few that every test run deals.
TEST_F(InterruptedTraining, SurvivesKillsAtRandomMoments) {
  const char* asked = std::getenv("GUIDEGEN_KILLS");
  const int kills = asked != nullptr ? std::atoi(asked) : 8;
  ASSERT_EQ(run("whole", often_).exit_code, 0);
  std::mt19937 random(1);
  auto resumed = often_;
  resumed.emplace_back("--resume");
  int landed = 0;
  for (int round = 0; landed < kills; ++round) {
    ASSERT_LT(round, 3 * kills + 20) << "runs end before they can be killed";
    Program program(arguments("killed", resumed), folder_.path());
    const auto pause = std::uniform_int_distribution<int>(20'000, 900'000)(random);
    ::usleep(static_cast<useconds_t>(pause));
    program.send(SIGKILL);
    const auto result = program.wait();
    expect_whole_checkpoints("killed");
    if (result.exit_code == -SIGKILL) {
      ++landed;
      continue;
    }
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(final_weights("killed"), final_weights("whole"));
    fs::remove_all(folder_.path() / "killed");  // done: begin anew
  }
  ASSERT_EQ(run("killed", resumed).exit_code, 0);
  EXPECT_EQ(final_weights("killed"), final_weights("whole"));
}

#ifdef GUIDEGEN_FAILING_WRITES
TEST_F(InterruptedTraining, SurvivesADiskThatFailsAtAnyWrite) {
  const std::vector<std::string> steps = {"training.checkpoint_every=1", "training.steps=3"};
  ASSERT_EQ(run("whole", steps).exit_code, 0);
  auto resumed = steps;
  resumed.emplace_back("--resume");
  int failures = 0;
  for (const int after : {0, 1, 2, 4, 7, 11, 16, 22, 29, 37, 46, 56, 67, 79, 92}) {
    const auto out = "run-" + std::to_string(after);
    const auto result = run(out, steps,
                            {{"LD_PRELOAD", GUIDEGEN_FAILING_WRITES},
                             {"GUIDEGEN_FAIL_UNDER", (folder_.path() / out).string()},
                             {"GUIDEGEN_FAIL_AFTER", std::to_string(after)},
                             {"GUIDEGEN_FAIL_ERRNO", after % 2 == 0 ? "28" : "5"}});
    expect_whole_checkpoints(out);
    if (result.exit_code == 0) continue;  // all was written before
    ++failures;
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err,
                HasSubstr(after % 2 == 0 ? "No space left on device" : "Input/output error"));
    EXPECT_THAT(result.err, HasSubstr("error: " + out + "/")) << "names the file";
    ASSERT_EQ(run(out, resumed).exit_code, 0);
    EXPECT_EQ(final_weights(out), final_weights("whole"));
  }
  EXPECT_GT(failures, 8);
}
#endif

TEST_F(InterruptedTraining, TellsTorchrunWhyItFails) {
  const auto report = folder_.path() / "error.json";
  const auto result = run("run", {"training.batch=0"}, {{"TORCHELASTIC_ERROR_FILE", report}});
  EXPECT_EQ(result.exit_code, 2);
  const Json written = read_json_file(report);
  EXPECT_THAT(written["message"]["message"].get<std::string>(), HasSubstr("training.batch"));
}

TEST_F(InterruptedTraining, RunningOutOfMemoryIsOneLineThatSaysWhatToChange) {
  rlimit before{};
  ::getrlimit(RLIMIT_AS, &before);
  rlimit small = before;
  small.rlim_cur = rlim_t{6} << 30;
  ::setrlimit(RLIMIT_AS, &small);  // the program inherits it
  Program program(arguments("run", {"training.batch=512", "network.head_width=512"}),
                  folder_.path());
  ::setrlimit(RLIMIT_AS, &before);
  const auto result = program.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("out of memory"));
  EXPECT_THAT(result.err, HasSubstr("training.micro_batch"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

}  // namespace
}  // namespace guidegen
