#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "core/error_matchers.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/resources.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/core/version.hpp"

namespace guidegen {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// What `body` writes to stderr when that is a pseudo terminal. In a child: loggers look once.
template <typename Body>
std::string on_terminal(bool no_color, Body body) {
  const int controller = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (controller < 0 || ::grantpt(controller) != 0 || ::unlockpt(controller) != 0) return "";
  const std::string name = ::ptsname(controller);
  const pid_t child = ::fork();
  if (child == 0) {
    const int terminal = ::open(name.c_str(), O_RDWR | O_NOCTTY);
    ::dup2(terminal, STDERR_FILENO);
    ::setenv("TERM", "xterm-256color", 1);
    no_color ? ::setenv("NO_COLOR", "1", 1) : ::unsetenv("NO_COLOR");
    body();
    ::_exit(0);
  }
  std::string text;
  char buffer[4096];
  // Reading ends with an error once the child, the only holder of the terminal, is gone.
  for (;;) {
    const ssize_t count = ::read(controller, buffer, sizeof buffer);
    if (count <= 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  ::waitpid(child, nullptr, 0);
  ::close(controller);
  return text;
}

void show_progress() {
  Progress progress("Training", 10);
  progress.update(5, "loss 0.5");
  ::usleep(120000);
  progress.update(6, "loss\n0.4");
  log_warning("disk is slow\nvery");
  progress.update(10);
  progress.finish();
}

/// Minimal containers come without pseudo terminals.
class ProgressOnTerminal : public testing::Test {
 protected:
  void SetUp() override {
    if (on_terminal(true, show_progress).empty()) GTEST_SKIP() << "no pseudo terminals: /dev/pts?";
  }
};

TEST_F(ProgressOnTerminal, DrawsABarWithTimeLeft) {
  const std::string text = on_terminal(true, show_progress);
  EXPECT_THAT(text, HasSubstr("Training [############........] 6/10"));
  EXPECT_THAT(text, HasSubstr(" left  loss 0.4"));
  EXPECT_THAT(text, HasSubstr("Training: 10 in 0."));
}

TEST_F(ProgressOnTerminal, UsesNoEscapeCodesWithNoColor) {
  const std::string text = on_terminal(true, show_progress);
  EXPECT_THAT(text, HasSubstr("warning: disk is slow very"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(on_terminal(false, [] { log_error("red"); }), HasSubstr("\x1b["))
      << "without NO_COLOR the label is colored, so the test above can fail";
}

TEST(Progress, IsSilentElsewhere) {
  testing::internal::CaptureStderr();
  show_progress();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: disk is slow very\n");
}

TEST(Log, ShowsFromTheChosenLevelUp) {
  testing::internal::CaptureStderr();
  log_info("plain");
  set_log_level(LogLevel::kError);
  log_info("hidden");
  log_warning("hidden");
  log_error("bad \x1b[31m");
  set_log_level(LogLevel::kQuiet);
  log_error("hidden");
  set_log_level(LogLevel::kInfo);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "plain\nerror: bad ?[31m\n");
}

TEST(FormatDuration, PicksTheUnit) {
  EXPECT_EQ(format_duration(4.24), "4.2 s");
  EXPECT_EQ(format_duration(59.97), "1 min 00 s");
  EXPECT_EQ(format_duration(190), "3 min 10 s");
  EXPECT_EQ(format_duration(3599.7), "1 h 00 min");
  EXPECT_EQ(format_duration(3720), "1 h 02 min");
  EXPECT_EQ(format_duration(90000), "25 h 00 min");
  EXPECT_EQ(format_duration(-1), "unknown time");
}

int status_of_child(void (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(StopSignal, SetsAFlagThatThrowsBetweenSteps) {
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) {
    const pid_t child = ::fork();
    if (child == 0) {
      install_stop_handler();
      if (stop_signal() != 0) ::_exit(1);
      throw_if_stopped();
      ::raise(number);
      try {
        throw_if_stopped();
      } catch (const Stopped& stopped) {
        ::_exit(stopped.signal == number && stop_signal() == number ? 0 : 2);
      }
      ::_exit(3);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << number;
    EXPECT_EQ(WEXITSTATUS(status), 0) << number;
  }
}

TEST(StopSignal, SecondInterruptEndsTheProcess) {
  const int status = status_of_child([] {
    install_stop_handler();
    ::raise(SIGINT);
    ::raise(SIGINT);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(Resources, HoldTheShippedFilesAndNameTheNearest) {
  EXPECT_THAT(resource_names(), Contains("vocabularies/torso.json"));
  EXPECT_EQ(resource("vocabularies/torso.json").front(), '{');
  EXPECT_THAT([] { resource("vocabularies/torsos.json"); },
              throws_usage(HasSubstr("did you mean \"vocabularies/torso.json\"?")));
}

TEST(Error, KindsHaveTheirExitCodes) {
  EXPECT_EQ(exit_code(ErrorKind::kFailure), 1);
  EXPECT_EQ(exit_code(ErrorKind::kUsage), 2);
  EXPECT_EQ(exit_code(ErrorKind::kPartial), 3);
  EXPECT_THAT([] { throw_usage("a", 1, "b"); }, throws_usage(testing::StrEq("a1b")));
}

TEST(Version, IsThreeNumbers) {
  EXPECT_THAT(version(), testing::MatchesRegex("[0-9]+.[0-9]+.[0-9]+"));
}

}  // namespace
}  // namespace guidegen
