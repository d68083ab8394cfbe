// A run that dies, at any moment, leaves whole cases only, and the same call finishes the rest.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "generate/fake_sampler.hpp"
#include "generate/folder_tree.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/generate/pipeline.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::KilledBySignal;
using testing_support::FakeSampler;
using testing_support::prompt_named;
using testing_support::tree_of;

/// The child of a death test runs this program again from the start: both must agree on the folder.
class Kill : public testing::Test {
 protected:
  static constexpr const char* kVariable = "GUIDEGEN_KILL_TEST_FOLDER";

  Kill() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    if (::getenv(kVariable) == nullptr) {
      std::string name = (fs::temp_directory_path() / "guidegen-test-XXXXXX").string();
      ::setenv(kVariable, ::mkdtemp(name.data()), 1);
      owner_ = true;
    }
    root_ = ::getenv(kVariable);
    out_ = root_ / "died" / "out";
  }
  ~Kill() override {
    if (!owner_) return;
    std::error_code ignored;
    fs::remove_all(root_, ignored);
    ::unsetenv(kVariable);
  }

  static void generate(const fs::path& out, FakeSampler& sampler) {
    std::vector<Prompt> prompts;
    for (const char* id : {"a", "b", "c", "d"}) prompts.push_back(prompt_named(id));
    GenerateOptions options;
    options.out = out;
    options.gates = testing_support::fake_gates();
    Crew alone;
    run_generate(plan_cases(prompts, {}, "p.json"), sampler, options, alone);
  }
  /// What a run that nothing interrupts leaves.
  std::map<std::string, std::string> whole() {
    FakeSampler sampler;
    generate(root_ / "whole" / "out", sampler);
    return tree_of(root_ / "whole" / "out");
  }
  /// Case folders of an interrupted run are whole.
  void expect_whole_cases() {
    if (!fs::exists(out_)) return;
    for (const auto& entry : fs::directory_iterator(out_)) {
      if (!entry.is_directory() || entry.path().filename().string().front() == '.') continue;
      for (const char* name : {"prompt.json", "mask.nii.gz", "ct.nii.gz", "preview.png"}) {
        EXPECT_TRUE(fs::exists(entry.path() / name)) << entry.path() / name;
      }
    }
  }

  fs::path root_, out_;
  bool owner_ = false;
};

TEST_F(Kill, InTheMiddleOfACase) {
  EXPECT_EXIT(
      {
        FakeSampler sampler;
        sampler.on_ct = [this](const std::string& id, uint64_t) {
          if (id != "c") return;
          // b is being written in the background.
          while (!fs::exists(out_ / "b")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
          ::raise(SIGKILL);
        };
        generate(out_, sampler);
      },
      KilledBySignal(SIGKILL), "");
  EXPECT_TRUE(fs::exists(out_ / "b"));
  EXPECT_FALSE(fs::exists(out_ / "c"));
  expect_whole_cases();
  FakeSampler sampler;
  generate(out_, sampler);
  EXPECT_EQ(sampler.cts_made, 2) << "a and b were complete";
  EXPECT_EQ(whole(), tree_of(out_));
}

TEST_F(Kill, AtAnyMoment) {
  // Delays spread over a run, writing included; each child goes on where the last one died.
  for (const int milliseconds : {5, 40, 120, 200, 300, 450, 600, 800}) {
    EXPECT_EXIT(
        {
          std::thread([milliseconds] {
            std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
            ::raise(SIGKILL);
          }).detach();
          FakeSampler sampler;
          generate(out_, sampler);
          // Died of old age: the run was over before the blow.
          ::raise(SIGKILL);
        },
        KilledBySignal(SIGKILL), "");
    expect_whole_cases();
  }
  FakeSampler sampler;
  generate(out_, sampler);
  EXPECT_EQ(whole(), tree_of(out_));
}

TEST_F(Kill, TerminationStopsBetweenSteps) {
  EXPECT_EXIT(
      {
        install_stop_handler();
        FakeSampler sampler;
        sampler.on_mask = [](const std::string& id, uint64_t) {
          if (id == "b") ::raise(SIGTERM);
        };
        try {
          generate(out_, sampler);
        } catch (const Stopped& stopped) {
          ::_exit(stopped.signal == SIGTERM ? 143 : 1);
        }
      },
      testing::ExitedWithCode(143), "");
  EXPECT_TRUE(fs::exists(out_ / "a"));
  for (const auto& entry : fs::directory_iterator(out_)) {
    EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("a", "manifest.jsonl"));
  }
  FakeSampler sampler;
  generate(out_, sampler);
  EXPECT_EQ(whole(), tree_of(out_));
}

}  // namespace
}  // namespace guidegen
