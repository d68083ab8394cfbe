// `guidegen generate` with the demo model on small grids: one process, several, a full disk.
#include <gmock/gmock.h>

#include <memory>

#include "cli/free_port.hpp"
#include "cli/run_program.hpp"
#include "generate/folder_tree.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::Environment;
using testing_support::Program;
using testing_support::ProgramResult;
using testing_support::tree_of;

class GenerateProcesses : public testing::Test {
 protected:
  GenerateProcesses() {
    std::string prompts;
    for (const char* organ : {"liver", "kidney", "lung", "colon"}) {
      prompts += std::string(R"({"id": ")") + organ + R"(", "tumors": [{"organ": ")" + organ +
                 R"("}], "size": [16, 16, 16], "spacing_mm": [20, 20, 20]})" + "\n";
    }
    write_file_atomic(folder_.path() / "p.jsonl", prompts);
  }

  static std::vector<std::string> arguments(const std::string& out) {
    return {"generate",   "--model",  GUIDEGEN_SOURCE_DIR "/models/demo",
            "--prompts",  "p.jsonl",  "--out",
            out,          "--steps",  "2",
            "--ct-steps", "1",        "--retries",
            "1",          "--device", "cpu"};
  }
  ProgramResult run(const std::string& out, const std::vector<std::string>& more = {},
                    const Environment& environment = {}) const {
    std::vector<std::string> words = arguments(out);
    words.insert(words.end(), more.begin(), more.end());
    return testing_support::run_program(words, folder_.path(), environment);
  }
  std::vector<ProgramResult> run_together(int count, const std::string& out,
                                          const std::vector<std::string>& more = {}) const {
    const std::string port = testing_support::free_port();
    std::vector<std::string> words = arguments(out);
    words.insert(words.end(), more.begin(), more.end());
    std::vector<std::unique_ptr<Program>> programs;
    for (int rank = 0; rank < count; ++rank) {
      programs.push_back(
          std::make_unique<Program>(words, folder_.path(),
                                    Environment{{"RANK", std::to_string(rank)},
                                                {"WORLD_SIZE", std::to_string(count)},
                                                {"MASTER_ADDR", "127.0.0.1"},
                                                {"MASTER_PORT", port}}));
    }
    std::vector<ProgramResult> results;
    for (const auto& program : programs) results.push_back(program->wait());
    return results;
  }
  std::map<std::string, std::string> tree(const std::string& out) const {
    return tree_of(folder_.path() / out);
  }

  TemporaryFolder folder_;
};

TEST_F(GenerateProcesses, FourMakeWhatOneMakesAndTheFirstSpeaks) {
  ASSERT_EQ(run("one/out").exit_code, 0);
  const auto dry = run_together(4, "four/out", {"--dry-run"});
  EXPECT_THAT(dry[0].out, HasSubstr("4 cases"));
  for (const size_t rank : {1U, 2U, 3U}) EXPECT_EQ(dry[rank].out + dry[rank].err, "");
  EXPECT_FALSE(fs::exists(folder_.path() / "four"));

  const auto some = run_together(4, "four/out", {"--only", "lung", "--json"});
  EXPECT_EQ(Json::parse(some[0].out)["done"], 1);
  const auto results = run_together(4, "four/out", {"--json"});
  for (const ProgramResult& result : results) EXPECT_EQ(result.exit_code, 0) << result.err;
  const Json summary = Json::parse(results[0].out);
  EXPECT_EQ(summary["done"], 3);
  EXPECT_EQ(summary["kept"], 1);
  EXPECT_GT(summary["peak_resident_bytes"], 1 << 20);
  for (const size_t rank : {1U, 2U, 3U}) EXPECT_EQ(results[rank].out + results[rank].err, "");
  EXPECT_EQ(tree("one/out"), tree("four/out"));
}

#ifdef GUIDEGEN_FAILING_WRITES
TEST_F(GenerateProcesses, AFullDiskLeavesWholeCasesAndTheSameCommandGoesOn) {
  ASSERT_EQ(run("one/out").exit_code, 0);
  for (const char* writes : {"2", "15", "40"}) {
    const fs::path out = folder_.path() / "full" / "out";
    const ProgramResult result = run("full/out", {},
                                     {{"LD_PRELOAD", GUIDEGEN_FAILING_WRITES},
                                      {"GUIDEGEN_FAIL_UNDER", out.string()},
                                      {"GUIDEGEN_FAIL_AFTER", writes},
                                      {"GUIDEGEN_FAIL_ERRNO", "28"}});
    // 1 where manifest or pictures can't be written either.
    EXPECT_THAT(result.exit_code, testing::AnyOf(1, 3)) << result.err;
    EXPECT_THAT(result.err, HasSubstr("No space left"));
    for (const auto& entry : fs::directory_iterator(out)) {
      const std::string name = entry.path().filename().string();
      EXPECT_NE(name.front(), '.') << name;
      EXPECT_TRUE(!entry.is_directory() || fs::exists(entry.path() / "ct.nii.gz")) << name;
    }
  }
  ASSERT_EQ(run("full/out").exit_code, 0);
  EXPECT_EQ(tree("one/out"), tree("full/out"));
}
#endif

TEST_F(GenerateProcesses, AWrongGateFileIsUsage) {
  write_file_atomic(folder_.path() / "g.json",
                    R"({"format": "guidegen-gates", "version": 1, "organ_hue": {}})");
  const ProgramResult result = run("out", {"--gates", "g.json"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, testing::AllOf(HasSubstr("g.json: organ_hue"), HasSubstr("organ_hu")));
}

}  // namespace
}  // namespace guidegen
