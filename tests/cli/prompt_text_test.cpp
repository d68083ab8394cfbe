#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "cli/run_program.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::ProgramResult;
using testing_support::run_program;

constexpr const char* kText = "62-year-old woman, 3 cm mass in the left kidney, no liver lesions";

class PromptText : public testing::Test {
 protected:
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_program(arguments, scratch_.path());
  }
  TemporaryFolder scratch_;
};

TEST_F(PromptText, PrintsWhatWasUnderstoodAndWhatWasNot) {
  const ProgramResult result = run({"prompt", kText});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("language: en"), HasSubstr("[0,11)"),
                                HasSubstr("62-year-old"), HasSubstr("tumors[0].position"),
                                HasSubstr("negated"), HasSubstr("liver lesions")));
}

TEST_F(PromptText, JsonHoldsPromptFindingsAndUnusedWords) {
  const ProgramResult result = run({"prompt", kText, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json document = parse_json(result.out, "stdout");
  EXPECT_EQ(document["prompt"].dump(),
            R"({"sex":"female","age":62,"tumors":[{"organ":"kidney","position":"left","count":1,)"
            R"("size_mm":30}]})");
  EXPECT_EQ(document["findings"][1]["words"], "62-year-old");
  EXPECT_EQ(document["unused"][0]["reason"], "negated");
  EXPECT_EQ(document["language"], "en");
}

TEST_F(PromptText, AFileIsReadAsAFileUnlessTextIsForced) {
  write_file_atomic(scratch_ / "kidney tumor", R"({"age": 5})");
  EXPECT_THAT(run({"prompt", "kidney tumor", "--json"}).out, HasSubstr("case-0001"));
  EXPECT_THAT(run({"prompt", "--text", "kidney tumor", "--json"}).out, HasSubstr("\"kidney\""));
}

TEST_F(PromptText, WrongUseIsTold) {
  EXPECT_EQ(run({"prompt"}).exit_code, 2);
  EXPECT_EQ(run({"prompt", "x", "--text", "y"}).exit_code, 2);
  EXPECT_THAT(run({"prompt", "missing.json"}).err, HasSubstr("missing.json"));
  const ProgramResult language = run({"prompt", "a mass", "--language", "tlh"});
  EXPECT_EQ(language.exit_code, 2);
  EXPECT_THAT(language.err, HasSubstr("tlh"));
}

TEST_F(PromptText, TextOfAPromptFileFillsWhatIsOpenAndFieldsWin) {
  write_file_atomic(scratch_ / "prompts.json",
                    R"([{"id": "a", "text": "64-year-old man with a kidney tumor", "age": 70}])");
  const ProgramResult result =
      run({"phantom", "--prompts", "prompts.json", "--out", "data", "--size", "32", "32", "32"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("a: age: the text says 64, the field 70"));
  const Json prompt = read_json_file(scratch_ / "data/a/prompt.json");
  EXPECT_EQ(prompt["age"], 70);
  EXPECT_EQ(prompt["sex"], "male");
  EXPECT_EQ(prompt["tumors"][0]["organ"], "kidney");
}

TEST_F(PromptText, AnEncoderThatIsMissingIsTold) {
  write_file_atomic(scratch_ / "prompts.json", R"({"text": "a tumor in the nephrons"})");
  const std::vector<std::vector<std::string>> commands = {
      {"prompt", "a tumor in the nephrons"},
      {"generate", "--model", "none", "--prompts", "prompts.json", "--out", "out"},
      {"sample", "stage1", "--model", "none", "--prompts", "prompts.json", "--out", "out"},
      {"sample", "stage3", "--model", "none", "--mask", "none.nii.gz", "--prompts", "prompts.json",
       "--out", "out.nii.gz"}};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), {"--encoder", "nowhere"});
    const ProgramResult result = run(command);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("nowhere/config.json"));
  }
  const ProgramResult file = run({"prompt", "prompts.json", "--encoder", "nowhere"});
  EXPECT_EQ(file.exit_code, 2);
  EXPECT_THAT(file.err, HasSubstr("--encoder: needs free text"));
}

TEST_F(PromptText, AnEncoderGuessesWordsThatTheLexiconLacksAndSaysSo) {
  const char* folder = std::getenv("GUIDEGEN_TEACHER");
  if (folder == nullptr || !std::filesystem::exists(std::filesystem::path(folder) / "vocab.txt")) {
    GTEST_SKIP() << "no teacher; scripts/setup.sh --with-teacher fetches it";
  }
  const std::string text = "a 3 cm tumor in the nephrons";
  EXPECT_FALSE(
      parse_json(run({"prompt", text, "--json"}).out, "stdout")["prompt"].contains("tumors"));
  EXPECT_THAT(run({"prompt", text, "--encoder", folder}).out,
              AllOf(HasSubstr("similarity"), HasSubstr("nephrons  0.")));
  const Json document =
      parse_json(run({"prompt", text, "--encoder", folder, "--json"}).out, "stdout");
  EXPECT_EQ(document["prompt"]["tumors"][0]["organ"], "kidney");
  EXPECT_GE(document["findings"][0]["similarity"].get<double>(), 0.75);
  write_file_atomic(scratch_ / "prompts.json", R"([{"id": "a", "text": ")" + text + R"("}])");
  const ProgramResult drawn = run({"sample", "stage1", "--model", "none", "--prompts",
                                   "prompts.json", "--out", "out", "--encoder", folder});
  EXPECT_THAT(drawn.err, HasSubstr("a: tumors[0].organ: 'nephrons' was taken for '"));
}

}  // namespace
}  // namespace guidegen
