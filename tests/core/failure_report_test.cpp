#include "guidegen/core/failure_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "core/temporary_folder.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {
namespace {

class FailureReport : public testing::Test {
 protected:
  void SetUp() override { unsetenv("TORCHELASTIC_ERROR_FILE"); }
  void TearDown() override { unsetenv("TORCHELASTIC_ERROR_FILE"); }
  void send_to(const std::filesystem::path& path) {
    setenv("TORCHELASTIC_ERROR_FILE", path.c_str(), 1);
  }
  TemporaryFolder folder_;
};

TEST_F(FailureReport, HoldsWhatTorchrunReads) {
  send_to(folder_ / "error.json");
  const auto before = std::time(nullptr);
  write_torchelastic_error("data/index.json: \"cases\" is missing", 2);
  const Json report = read_json_file(folder_ / "error.json");
  const Json& message = report.at("message");
  EXPECT_EQ(message.at("message"), "data/index.json: \"cases\" is missing");
  EXPECT_EQ(message.at("errorCode"), 2);
  // What torchrun prints.
  EXPECT_EQ(message.at("extraInfo").at("py_callstack"), message.at("message"));
  // torchrun compares the times of all workers to find the root cause.
  const auto stamp = std::stoll(message.at("extraInfo").at("timestamp").get<std::string>());
  EXPECT_GE(stamp, before);
  EXPECT_LE(stamp, std::time(nullptr));
}

TEST_F(FailureReport, TextThatIsNotUtf8StaysReadableJson) {
  send_to(folder_ / "error.json");
  write_torchelastic_error("caf\xE9.nii: truncated", 1);
  const Json report = read_json_file(folder_ / "error.json");
  EXPECT_EQ(report.at("message").at("message"), "caf\xEF\xBF\xBD.nii: truncated");
}

TEST_F(FailureReport, WithoutTorchrunNothingIsWritten) {
  write_torchelastic_error("no one asked", 1);
  send_to("");
  write_torchelastic_error("no one asked", 1);
  EXPECT_THAT(folder_.entries(), testing::IsEmpty());
}

TEST_F(FailureReport, AFileThatCannotBeWrittenDoesNotThrow) {
  send_to(folder_ / "none" / "error.json");
  // In a child: the logger decides once, at its first message, whether it writes to a terminal.
  EXPECT_EXIT(
      {
        write_torchelastic_error("the real news", 1);
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "none/error.json");
}

}  // namespace
}  // namespace guidegen
