#include <gmock/gmock.h>

#include "cli/run_program.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;
using testing_support::ProgramResult;
using testing_support::run_program;

/// `guidegen evaluate fidelity` on two phantoms and on reconstructions that are 5 HU too high.
class FidelityCommand : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"phantom", "--out", "set", "--count", "2", "--seed", "3", "--size", "32", "32",
                   "40", "--spacing", "12", "12", "12"})
                  .exit_code,
              0);
    make_directories(scratch_ / "made");
    for (const auto& entry : std::filesystem::directory_iterator(scratch_ / "set")) {
      if (!entry.is_directory()) continue;
      ids_.push_back(entry.path().filename().string());
      Volume ct = read_ct(entry.path() / "ct.nii.gz");
      ct.data = ct.data + 5;
      write_ct(scratch_ / ("made/" + ids_.back() + ".nii.gz"), ct);
    }
  }
  ProgramResult run(const std::vector<std::string>& arguments) const {
    return run_program(arguments, scratch_.path());
  }
  ProgramResult judge(std::vector<std::string> more) const {
    more.insert(more.begin(), {"evaluate", "fidelity", "--reference", "set"});
    return run(more);
  }

  const TemporaryFolder scratch_;
  std::vector<std::string> ids_;
};

TEST_F(FidelityCommand, JudgesFoldersByWindowTissueAndOrgan) {
  const ProgramResult result =
      judge({"--reconstruction", "made", "--windows", "liver=60/200,all=1024/4096", "--html",
             "page.html", "--out", "report.json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("2 cases"));
  const Json report = read_json_file(scratch_ / "report.json");
  EXPECT_EQ(report["cases"].size(), 2U);
  const Json& summary = report["summary"];
  EXPECT_EQ(summary["windows"]["liver"]["bias_hu"]["mean"], 5.0);
  EXPECT_EQ(summary["tissues"]["bone"]["bias_hu"]["mean"], 5.0);
  EXPECT_EQ(summary["organs"]["liver"]["mae_hu"]["cases"], 2);
  EXPECT_TRUE(summary["organs"]["liver"]["windows"].contains("all"));
  EXPECT_THAT(read_file(scratch_ / "page.html"), HasSubstr("data:image/png"));
}

TEST_F(FidelityCommand, PrintsJsonOfTwoFiles) {
  const std::string ct = "set/" + ids_[0] + "/ct.nii.gz";
  const ProgramResult result = run({"evaluate", "fidelity", "--reference", ct, "--reconstruction",
                                    "made/" + ids_[0] + ".nii.gz", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json report = parse_json(result.out, "stdout");
  EXPECT_EQ(report["cases"][0]["id"], "ct");
  EXPECT_FALSE(report["summary"].contains("organs"));  // no mask was given
}

TEST_F(FidelityCommand, SaysInOneLineWhatDoesNotFit) {
  const auto refused = [&](std::vector<std::string> more, const std::string& because) {
    const ProgramResult result = judge(std::move(more));
    EXPECT_EQ(result.exit_code, 2) << because;
    EXPECT_THAT(result.err, HasSubstr(because));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  };
  std::filesystem::rename(scratch_ / ("made/" + ids_[0] + ".nii.gz"), scratch_ / "made/x.nii.gz");
  refused({"--reconstruction", "made"}, "made: no case " + ids_[0]);
  refused({"--reconstruction", "made/x.nii.gz"}, "made/x.nii.gz: is no folder");
  refused({"--reconstruction", "set", "--windows", "narrow"}, "NAME=CENTER/WIDTH");
  refused({"--reconstruction", "set", "--windows", "a=1/2,a=3/4"}, "a is taken");
  refused({"--reconstruction", "set", "--noise-in", "lever"}, "liver");
}

}  // namespace
}  // namespace guidegen
