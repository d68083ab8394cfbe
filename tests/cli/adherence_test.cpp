#include <gmock/gmock.h>

#include <set>

#include "cli/run_program.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;
using testing_support::ProgramResult;
using testing_support::run_program;

/// From random prompts to the judgement of masks, phantoms standing in for a model's.
class Adherence : public testing::Test {
 protected:
  ProgramResult run(const std::vector<std::string>& arguments) const {
    return run_program(arguments, scratch_.path());
  }
  std::string text_of(const std::string& name) const { return read_file(scratch_ / name); }

  const TemporaryFolder scratch_;
};

TEST_F(Adherence, RandomPromptsGoToStdoutArrayOrLines) {
  const ProgramResult spoken = run({"prompt", "--random", "3", "--seed", "7"});
  ASSERT_EQ(spoken.exit_code, 0) << spoken.err;
  ASSERT_EQ(run({"prompt", "--random", "3", "--seed", "7", "--out", "p.json"}).exit_code, 0);
  ASSERT_EQ(run({"prompt", "--random", "3", "--seed", "7", "--out", "p.jsonl"}).exit_code, 0);
  EXPECT_EQ(text_of("p.json"), spoken.out);
  const std::vector<Prompt> prompts = read_prompts(scratch_ / "p.json");
  EXPECT_EQ(prompts.size(), 3U);
  EXPECT_EQ(read_prompts(scratch_ / "p.jsonl"), prompts);
  EXPECT_EQ(text_of("p.jsonl").front(), '{');
}

TEST_F(Adherence, TextsAloneLeaveTheTruthBesideThem) {
  ASSERT_EQ(run({"prompt", "--random", "40", "--as-text", "--out", "t.json"}).exit_code, 0);
  const std::vector<Prompt> truth = read_prompts(scratch_ / "t.json.truth.json");
  const Json texts = parse_json(text_of("t.json"), "t.json");
  ASSERT_EQ(texts.size(), truth.size());
  std::set<int> phrasings;
  for (size_t i = 0; i < truth.size(); ++i) {
    EXPECT_EQ(texts[i], Json({{"id", truth[i].id}, {"text", *truth[i].text}}));
    for (int phrasing = 0; phrasing < kPhrasingCount; ++phrasing) {
      if (describe(truth[i], phrasing) == *truth[i].text) phrasings.insert(phrasing);
    }
  }
  EXPECT_EQ(phrasings.size(), static_cast<size_t>(kPhrasingCount));
}

TEST_F(Adherence, FlagsOfRandomPromptsNeedEachOther) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"prompt"},
                                             {"prompt", "--balanced"},
                                             {"prompt", "p.json", "--random", "2"},
                                             {"prompt", "--random", "0"},
                                             {"prompt", "--random", "2", "--as-text"}}) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments.back();
    EXPECT_THAT(result.err, testing::Not(testing::IsEmpty()));
  }
}

TEST_F(Adherence, MasksAreJudgedByAFileWithSubgroupsAndAPage) {
  ASSERT_EQ(
      run({"prompt", "--random", "3", "--seed", "4", "--balanced", "--as-text", "--out", "p.json"})
          .exit_code,
      0);
  ASSERT_EQ(run({"phantom", "--out", "set", "--prompts", "p.json.truth.json", "--size", "32", "32",
                 "40", "--spacing", "12", "12", "12"})
                .exit_code,
            0);
  const ProgramResult judged =
      run({"evaluate", "mask-prompt", "--data", "set", "--prompts", "p.json.truth.json", "--by",
           "size,sex", "--html", "report.html", "--out", "report.json"});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  EXPECT_THAT(judged.out, HasSubstr("by size"));
  EXPECT_THAT(judged.out, HasSubstr("by sex"));
  const Json report = parse_json(text_of("report.json"), "report.json");
  EXPECT_EQ(report["cases"].size(), 3U);
  EXPECT_GT(report["all"]["organ"]["total"], 0);
  EXPECT_THAT(text_of("report.html"), HasSubstr("<!DOCTYPE html>"));
  const ProgramResult texts =
      run({"evaluate", "mask-prompt", "--data", "set", "--prompts", "p.json"});
  EXPECT_EQ(texts.exit_code, 2);
  EXPECT_THAT(texts.err, HasSubstr(".truth.json"));
  EXPECT_EQ(run({"evaluate", "mask-prompt", "--data", "set", "--by", "age"}).exit_code, 2);
}

}  // namespace
}  // namespace guidegen
