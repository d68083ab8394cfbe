// Several real processes share the cases; some of them die.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <random>
#include <thread>

#include "cli/free_port.hpp"
#include "cli/run_program.hpp"
#include "generate/fake_sampler.hpp"
#include "generate/folder_tree.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/generate/pipeline.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing_support::Environment;
using testing_support::FakeSampler;
using testing_support::Program;
using testing_support::prompt_named;
using testing_support::tree_of;

constexpr const char* kOut = "GUIDEGEN_PROCESSES_TEST_OUT";
constexpr int kCases = 6;
constexpr const char* kCaseTime = "GUIDEGEN_PROCESSES_TEST_CASE_MS";

void generate(const fs::path& out, std::chrono::milliseconds case_time) {
  Crew crew(detect_world(), 1500ms);
  std::vector<Prompt> prompts;
  for (int i = 0; i < kCases; ++i) prompts.push_back(prompt_named(concat("case-", i)));
  FakeSampler sampler;
  sampler.on_ct = [=](const std::string&, uint64_t) {
    const auto end = std::chrono::steady_clock::now() + case_time;
    while (std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(10ms);
      throw_if_stopped();  // as the steps of a real sampler do
    }
  };
  GenerateOptions options;
  options.out = out;
  options.gates = testing_support::fake_gates();
  run_generate(plan_cases(prompts, {}, "p.json"), sampler, options, crew);
}

/// Not a test but what the processes of the tests below do.
TEST(ProcessesChild, Works) {
  const char* out = ::getenv(kOut);
  if (out == nullptr) GTEST_SKIP() << "runs as a child of the other tests";
  install_stop_handler();
  int code = 0;
  try {
    generate(out, std::chrono::milliseconds(std::atoi(::getenv(kCaseTime))));
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    code = exit_code(error.kind());
  } catch (const Stopped&) {
    code = 143;
  }
  ::_exit(code);
}

class Processes : public testing::Test {
 protected:
  using Programs = std::vector<std::unique_ptr<Program>>;

  fs::path out(const std::string& name) const { return scratch_.path() / name / "out"; }

  Programs start(int count, const std::string& name) const {
    const std::string port = testing_support::free_port();
    Programs programs;
    for (int rank = 0; rank < count; ++rank) {
      Environment environment = {
          {kOut, out(name).string()}, {kCaseTime, case_ms_}, {"OMP_NUM_THREADS", "1"}};
      if (count > 1) {
        environment.insert({{"RANK", std::to_string(rank)},
                            {"WORLD_SIZE", std::to_string(count)},
                            {"MASTER_ADDR", "127.0.0.1"},
                            {"MASTER_PORT", port}});
      }
      programs.push_back(
          std::make_unique<Program>(std::vector<std::string>{"--gtest_filter=ProcessesChild.Works"},
                                    scratch_.path(), environment, "/proc/self/exe"));
    }
    return programs;
  }
  void run(int count, const std::string& name) const {
    for (const auto& program : start(count, name)) {
      const auto result = program->wait();
      ASSERT_EQ(result.exit_code, 0) << result.err;
    }
  }
  /// Returns once `name` holds a case: the queue is being worked off.
  void wait_for_a_case(const std::string& name, const Program& writer) const {
    const auto any_case = [&] {
      for (int i = 0; i < kCases; ++i) {
        if (fs::exists(out(name) / concat("case-", i))) return true;
      }
      return false;
    };
    while (!any_case()) {
      ASSERT_FALSE(writer.ended()) << "it ended before its first case";
      std::this_thread::sleep_for(2ms);
    }
  }
  void expect_whole_cases(const std::string& name) const {
    if (!fs::exists(out(name))) return;
    for (const auto& entry : fs::directory_iterator(out(name))) {
      if (!entry.is_directory() || entry.path().filename().string().front() == '.') continue;
      for (const char* file : {"prompt.json", "mask.nii.gz", "ct.nii.gz", "preview.png"}) {
        EXPECT_TRUE(fs::exists(entry.path() / file)) << entry.path() / file;
      }
    }
  }
  void expect_what_one_process_makes(const std::string& name) const {
    run(1, "one");
    EXPECT_EQ(tree_of(out("one")), tree_of(out(name)));
  }

  TemporaryFolder scratch_;
  std::string case_ms_ = "30";  ///< that a case takes at least: room for a blow
};

TEST_F(Processes, FourMakeWhatOneMakes) {
  run(4, "four");
  expect_what_one_process_makes("four");
}

TEST_F(Processes, TheFirstMakesUpForOneThatDies) {
  case_ms_ = "200";
  const auto programs = start(3, "killed");
  wait_for_a_case("killed", *programs[0]);
  programs[2]->send(SIGKILL);
  EXPECT_EQ(programs[2]->wait().exit_code, -SIGKILL);
  const auto first = programs[0]->wait();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(programs[1]->wait().exit_code, 0);
  expect_what_one_process_makes("killed");
}

TEST_F(Processes, WithoutTheFirstTheOthersEndAndARunGoesOn) {
  case_ms_ = "3000";  // nobody is through when the first case is there
  const auto programs = start(3, "killed");
  wait_for_a_case("killed", *programs[0]);
  programs[0]->send(SIGKILL);
  EXPECT_EQ(programs[0]->wait().exit_code, -SIGKILL);
  case_ms_ = "30";
  for (const size_t survivor : {1U, 2U}) {
    const auto result = programs[survivor]->wait();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("lost process 0"));
  }
  expect_whole_cases("killed");
  run(2, "killed");
  expect_what_one_process_makes("killed");
}

TEST_F(Processes, KilledAtAnyMomentARunGoesOn) {
  std::mt19937 random(3);
  for (int round = 0; round < 3; ++round) {
    const auto programs = start(3, "killed");
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 900));
    for (const auto& program : programs) program->send(SIGKILL);
    for (const auto& program : programs) program->wait();
    expect_whole_cases("killed");
  }
  run(3, "killed");
  expect_what_one_process_makes("killed");
}

TEST_F(Processes, ASignalToOneStopsAll) {
  case_ms_ = "3000";
  const auto programs = start(3, "stopped");
  wait_for_a_case("stopped", *programs[0]);
  programs[1]->send(SIGTERM);
  for (const auto& program : programs) {
    const auto result = program->wait();
    EXPECT_EQ(result.exit_code, 143) << result.err;
  }
  for (const auto& entry : fs::directory_iterator(out("stopped"))) {
    EXPECT_NE(entry.path().filename().string().front(), '.') << entry.path();
  }
  expect_whole_cases("stopped");
  run(2, "stopped");
  expect_what_one_process_makes("stopped");
}

TEST_F(Processes, WhatTheFirstRefusesAllRefuse) {
  make_directories(out("foreign") / "case-3");
  for (const auto& program : start(3, "foreign")) {
    const auto result = program->wait();
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("case-3"));
  }
  EXPECT_FALSE(fs::exists(out("foreign") / "case-0"));
}

}  // namespace
}  // namespace guidegen
