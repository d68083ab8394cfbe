#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/temporary_folder.hpp"
#include "evaluate/made_up_tumors.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/random_stream.hpp"
#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

std::string python() {
  const char* chosen = std::getenv("GUIDEGEN_PYTHON");
  return chosen ? chosen : "python3";
}

TumorPosition any_position(RandomStream& stream) {
  return static_cast<TumorPosition>(stream.integer(kTumorPositionCount));
}

Prompt made_up_prompt(RandomStream& stream, const std::string& id) {
  Prompt prompt = asking({}, id);
  if (stream.flip(0.8)) prompt.sex = stream.flip(0.5) ? Sex::kMale : Sex::kFemale;
  for (int64_t i = stream.integer(3); i > 0; --i) {
    TumorRequest wanted = request(any_position(stream), static_cast<int>(1 + stream.integer(4)),
                                  std::round(stream.uniform(8, 60) * 10) / 10);
    if (stream.flip(0.1)) wanted.position.reset();
    if (stream.flip(0.1)) wanted.count.reset();
    if (stream.flip(0.1)) wanted.size_mm.reset();
    prompt.tumors->push_back(wanted);
  }
  return prompt;
}

/// Mostly what was asked; some tumors lost, at another place or of another size, some on top.
std::vector<FoundTumor> made_up_answer(RandomStream& stream, const Prompt& prompt) {
  std::vector<FoundTumor> tumors;
  for (const TumorRequest& wanted : *prompt.tumors) {
    for (int i = 0; i < wanted.count.value_or(1); ++i) {
      const double size = wanted.size_mm.value_or(20) * std::exp(0.2 * stream.normal());
      const bool there = wanted.position && stream.flip(0.7);
      if (stream.flip(0.85))
        tumors.push_back(found(there ? *wanted.position : any_position(stream), size));
    }
  }
  if (stream.flip(0.15)) tumors.push_back(found(any_position(stream), stream.uniform(6, 20)));
  if (stream.flip(0.1)) tumors.push_back(found(std::nullopt, 12));
  if (stream.flip(0.1)) tumors.push_back(found(std::nullopt, 15, TumorOrgan::kLiver));
  return tumors;
}

TEST(MaskPromptOracle, SciPyFindsTheSameFigures) {
  if (std::system((python() + " -c 'import scipy, numpy' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "the Python packages scipy and numpy are not installed";
  }
  RandomStream stream(11, "oracle", "test");
  std::vector<CaseAnswer> cases;
  for (int i = 0; i < 150; ++i) {
    const std::string id = "case-" + std::to_string(i);
    const Prompt prompt = made_up_prompt(stream, id);
    const bool twice = stream.flip(0.3);
    for (int sample = 0; sample < (twice ? 2 : 1); ++sample) {
      cases.push_back(judge_tumors(prompt, made_up_answer(stream, prompt)));
      if (twice) cases.back().id = id + (sample == 0 ? "-s01" : "-s02");
    }
  }
  const MaskPromptReport report = summarize_answers(std::move(cases), {"size", "sex"});
  ASSERT_GT(report.all.position.proportion.hits, 100);
  const TemporaryFolder folder;
  write_file_atomic(folder / "report.json", dump_json(to_json(report)));
  const std::string script =
      std::string(GUIDEGEN_SOURCE_DIR) + "/tests/oracle/mask_prompt_oracle.py";
  EXPECT_EQ(
      std::system(
          (python() + " '" + script + "' '" + (folder / "report.json").string() + "'").c_str()),
      0);
}

}  // namespace
}  // namespace guidegen
