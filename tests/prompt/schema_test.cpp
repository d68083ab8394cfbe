#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "guidegen/prompt/prompt.hpp"
#include "prompt/malformed_prompts.hpp"

namespace guidegen {
namespace {

// The schema is checked by an independent validator, and against the same list of malformed prompts
// as the program's own reader.
TEST(PromptSchema, AgreesWithTheReader) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "guidegen_prompt_schema_test";
  std::filesystem::create_directories(folder);
  const std::string bad = (folder / "bad.jsonl").string();
  {
    std::ofstream lines(bad);
    for (const MalformedPrompt& prompt : malformed_prompts()) lines << prompt.text << '\n';
  }
  const std::string root = GUIDEGEN_SOURCE_DIR;
  const char* python = std::getenv("GUIDEGEN_PYTHON");
  const std::string command = std::string(python != nullptr ? python : "python3") + " '" + root +
                              "/tests/oracle/check_prompt_schema.py' '" + root +
                              "/configs/schemas/prompt.schema.json' '" + root +
                              "/configs/demo/prompts.json' '" + bad + "'";
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  std::filesystem::remove_all(folder);
  if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
    GTEST_SKIP() << "Python with jsonschema is not there";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(LanguageSchema, TakesTheShippedLanguages) {
  const std::string root = GUIDEGEN_SOURCE_DIR;
  const char* python = std::getenv("GUIDEGEN_PYTHON");
  std::string command = std::string(python != nullptr ? python : "python3") + " '" + root +
                        "/tests/oracle/check_language_schema.py' '" + root +
                        "/configs/schemas/language.schema.json'";
  for (const auto& file : std::filesystem::directory_iterator(root + "/configs/language")) {
    command += " '" + file.path().string() + "'";
  }
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
    GTEST_SKIP() << "Python with jsonschema is not there";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace guidegen
