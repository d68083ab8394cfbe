#include "guidegen/evaluate/mask_prompt.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "data/hand_made.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/data/dataset.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;

FoundTumor found(std::optional<TumorPosition> position, double diameter,
                 std::optional<TumorOrgan> organ = std::nullopt) {
  FoundTumor tumor;
  tumor.position = position;
  tumor.organ = position ? std::make_optional(organ_of(*position)) : organ;
  tumor.component.diameter_mm = diameter;
  return tumor;
}

TumorRequest request(TumorPosition position, std::optional<int> count,
                     std::optional<double> size = std::nullopt) {
  TumorRequest result;
  result.organ = organ_of(position);
  result.position = position;
  result.count = count;
  result.size_mm = size;
  return result;
}

Prompt asking(std::vector<TumorRequest> tumors) {
  Prompt prompt;
  prompt.id = "case";
  prompt.tumors = std::move(tumors);
  return prompt;
}

TEST(MaskPrompt, RightAnswerScoresFully) {
  const CaseAnswer answer =
      judge_tumors(asking({request(TumorPosition::kLiverLeft, 2, 20)}),
                   {found(TumorPosition::kLiverLeft, 25), found(TumorPosition::kLiverLeft, 15)});
  const MaskPromptReport report = summarize_answers({answer});
  EXPECT_EQ(report.all.organ.proportion, (Proportion{2, 2}));
  EXPECT_EQ(report.all.position.proportion, (Proportion{2, 2}));
  EXPECT_EQ(report.all.count.proportion, (Proportion{1, 1}));
  EXPECT_EQ(report.all.stray.proportion, (Proportion{0, 2}));
  EXPECT_EQ(report.all.size_error_mm.of, 2);
  EXPECT_DOUBLE_EQ(report.all.size_error_mm.value, 5);
  EXPECT_DOUBLE_EQ(report.all.size_relative_error.value, 0.25);
  EXPECT_DOUBLE_EQ(report.all.count_error.value, 0);
}

TEST(MaskPrompt, WrongSideCountsForTheOrganAlone) {
  const MaskPromptReport report = summarize_answers({judge_tumors(
      asking({request(TumorPosition::kKidneyLeft, 1)}), {found(TumorPosition::kKidneyRight, 20)})});
  EXPECT_EQ(report.all.organ.proportion, (Proportion{1, 1}));
  EXPECT_EQ(report.all.position.proportion, (Proportion{0, 1}));
  EXPECT_EQ(report.all.count.proportion, (Proportion{1, 1}));
}

TEST(MaskPrompt, ExtraAndStrayTumorsCount) {
  const MaskPromptReport report = summarize_answers({judge_tumors(
      asking({request(TumorPosition::kLungLeftUpper, 1)}),
      {found(TumorPosition::kLungLeftUpper, 20), found(TumorPosition::kLungLeftUpper, 9),
       found(TumorPosition::kColonAscending, 9), found(std::nullopt, 9)})});
  EXPECT_EQ(report.all.organ.proportion, (Proportion{1, 1}));
  EXPECT_EQ(report.all.count.proportion, (Proportion{0, 1}));
  EXPECT_EQ(report.all.stray.proportion, (Proportion{2, 4}));
}

TEST(MaskPrompt, OpenFieldsAreNotJudged) {
  TumorRequest open;
  open.organ = TumorOrgan::kColon;
  const MaskPromptReport report =
      summarize_answers({judge_tumors(asking({open}), {found(TumorPosition::kColonAscending, 9),
                                                       found(TumorPosition::kColonAscending, 8)}),
                         judge_tumors(Prompt{}, {found(TumorPosition::kLiverLeft, 9)})});
  EXPECT_EQ(report.all.organ.proportion, (Proportion{1, 1}));
  EXPECT_EQ(report.all.position.proportion.total, 0);
  EXPECT_EQ(report.all.count.proportion.total, 0);
  EXPECT_EQ(report.all.stray.proportion, (Proportion{0, 2}));
  EXPECT_EQ(report.all.false_tumors.proportion.total, 0);
}

TEST(MaskPrompt, FalseTumorsWhereNoneWasAsked) {
  const MaskPromptReport report =
      summarize_answers({judge_tumors(asking({}), {}),
                         judge_tumors(asking({}), {found(TumorPosition::kLiverLeft, 9)})});
  EXPECT_EQ(report.all.false_tumors.proportion, (Proportion{1, 2}));
  EXPECT_EQ(report.all.stray.proportion.total, 0);
}

TEST(MaskPrompt, FoldersOfCasesAreJudged) {
  const auto root = std::filesystem::path(::testing::TempDir()) / "guidegen_mask_prompt_test";
  std::filesystem::remove_all(root);
  const Vocabulary vocabulary = Vocabulary::load("torso");
  EXPECT_THROW(evaluate_mask_prompt(root, vocabulary), Error);
  for (const TumorPosition position :
       {TumorPosition::kPancreasTail, TumorPosition::kLungLeftLower}) {
    Volume mask = schematic_patient(vocabulary);
    draw(mask, vocabulary.tumor(), place_of(position), {2, 2, 2});
    Prompt prompt = asking({request(position, 1, 24)});
    prompt.id = name_of(position);
    std::filesystem::create_directories(root / prompt.id);
    write_case_files(root / prompt.id, prompt, mask, nullptr);
  }
  const MaskPromptReport report = evaluate_mask_prompt(root, vocabulary);
  std::filesystem::remove_all(root);
  EXPECT_EQ(report.cases.size(), 2U);
  EXPECT_EQ(report.all.position.proportion, (Proportion{2, 2}));
  EXPECT_EQ(report.all.count.proportion, (Proportion{2, 2}));
  EXPECT_THAT(to_table(report), HasSubstr("100 % (34-100) of 2"));
  const Json json = to_json(report);
  EXPECT_EQ(json["cases"][1]["found"][0]["position"], "tail");
  EXPECT_EQ(json["all"]["organ"]["hits"], 2);
}

TEST(Proportion, WilsonIntervalHasItsKnownValues) {
  // Newcombe, Stat. Med. 17:857 (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29.
  const auto check = [](int64_t hits, int64_t total, double low, double high) {
    const auto [got_low, got_high] = Proportion{hits, total}.interval();
    EXPECT_NEAR(got_low, low, 5e-5);
    EXPECT_NEAR(got_high, high, 5e-5);
  };
  check(81, 263, 0.2553, 0.3662);
  check(15, 148, 0.0624, 0.1605);
  check(0, 20, 0.0, 0.1611);
  check(1, 29, 0.0061, 0.1718);
  EXPECT_TRUE(std::isnan(Proportion{}.share()));
}

TEST(Spearman, KnownValues) {
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3}, {10, 100, 1000}), 1);
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3}, {3, 2, 1}), -1);
  // Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: by hand 4.5 / sqrt(4.5 * 5).
  EXPECT_NEAR(spearman({1, 2, 2, 3}, {1, 3, 2, 4}), 4.5 / std::sqrt(22.5), 1e-12);
  EXPECT_TRUE(std::isnan(spearman({1}, {1})));
  EXPECT_TRUE(std::isnan(spearman({1, 1}, {1, 2})));
  EXPECT_THROW(spearman({1}, {}), Error);
}

}  // namespace
}  // namespace guidegen
