#include "guidegen/evaluate/tumor_answers.hpp"

#include <gmock/gmock.h>

#include "evaluate/made_up_tumors.hpp"
#include "guidegen/evaluate/confusion.hpp"
#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

using P = TumorPosition;
using ::testing::ElementsAre;

std::vector<std::optional<size_t>> answers_to(const CaseAnswer& answer) {
  std::vector<std::optional<size_t>> found;
  for (const AskedTumor& tumor : answer.asked) found.push_back(tumor.found);
  return found;
}

TEST(TumorAnswers, OrganGoesBeforePositionBeforeSize) {
  // Taken one by one, the first request would take the left tumor, which is nearer in size.
  const CaseAnswer by_position =
      judge_tumors(asking({request(P::kLiverRight, 1, 20), request(P::kLiverLeft, 1, 60)}),
                   {found(P::kLiverLeft, 20), found(P::kLiverRight, 60)});
  EXPECT_THAT(answers_to(by_position), ElementsAre(1, 0));
  const CaseAnswer by_organ =
      judge_tumors(asking({request(P::kLiverLeft, 1, 20), request(P::kLungLeftUpper, 1, 20)}),
                   {found(P::kLungRightLower, 90), found(P::kLiverRight, 4)});
  EXPECT_THAT(answers_to(by_organ), ElementsAre(1, 0));
  const CaseAnswer by_size =
      judge_tumors(asking({request(P::kLiverLeft, 1, 10), request(P::kLiverLeft, 1, 40)}),
                   {found(P::kLiverLeft, 44), found(P::kLiverLeft, 9)});
  EXPECT_THAT(answers_to(by_size), ElementsAre(1, 0));
}

TEST(TumorAnswers, OpenPositionLeavesTheKnownOneToOthers) {
  TumorRequest open;
  open.organ = TumorOrgan::kKidney;
  const CaseAnswer answer = judge_tumors(asking({open, request(P::kKidneyLeft, 1)}),
                                         {found(P::kKidneyLeft, 20), found(P::kKidneyRight, 20)});
  EXPECT_THAT(answers_to(answer), ElementsAre(1, 0));
  EXPECT_TRUE(answer.organ_right(answer.asked[0]));
  EXPECT_FALSE(answer.position_right(answer.asked[0]));
  EXPECT_TRUE(answer.position_right(answer.asked[1]));
}

TEST(TumorAnswers, WhatIsLeftAnswersNothing) {
  const CaseAnswer answer = judge_tumors(
      asking({request(P::kColonAscending, 1)}),
      {found(std::nullopt, 30), found(P::kColonTransverse, 9), found(P::kColonAscending, 9)});
  EXPECT_THAT(answers_to(answer), ElementsAre(2));
  EXPECT_THAT(answer.not_asked(), ElementsAre(&answer.found[0], &answer.found[1]));
  EXPECT_EQ(answer.stray(), 1);
}

TEST(Confusion, EveryTumorAskedForIsInOneCell) {
  const MaskPromptReport report = summarize_answers({
      judge_tumors(asking({request(P::kKidneyLeft, 2)}, "a"),
                   {found(P::kKidneyLeft, 9), found(P::kKidneyRight, 9)}),
      judge_tumors(asking({request(P::kKidneyRight, 4)}, "b"),
                   {found(P::kKidneyRight, 9), found(std::nullopt, 9, TumorOrgan::kKidney),
                    found(P::kColonAscending, 9), found(std::nullopt, 9)}),
      judge_tumors(asking({request(P::kKidneyRight, 1)}, "c"), {}),
      judge_tumors(asking({}, "d"), {found(P::kKidneyLeft, 9)}),
  });
  ASSERT_EQ(report.positions.size(), 1U);
  const PositionMatrix& kidney = report.positions[0];
  EXPECT_THAT(kidney.row_names(), ElementsAre("left", "right", "not asked"));
  EXPECT_THAT(kidney.column_names(),
              ElementsAre("left", "right", "unclear", "other organ", "elsewhere", "none"));
  EXPECT_THAT(kidney.cells,
              ElementsAre(ElementsAre(1, 1, 0, 0, 0, 0), ElementsAre(0, 1, 1, 1, 1, 1),
                          ElementsAre(1, 0, 0, 0, 0, 0)));
  EXPECT_EQ(kidney.right.proportion, (Proportion{2, 7}));
}

TEST(Confusion, LastColumnOfCountsTakesAllLargerOnes) {
  const CountTable table{{{1, 1}, 5}, {{1, 0}, 2}, {{3, 3}, 1}, {{3, 4}, 1}, {{3, 70}, 1}};
  const CountMatrix matrix = count_matrix(table);
  EXPECT_THAT(matrix.asked, ElementsAre(1, 3));
  EXPECT_THAT(matrix.columns, ElementsAre("0", "1", "2", "3", "4+"));
  EXPECT_THAT(matrix.cells, ElementsAre(ElementsAre(2, 5, 0, 0, 0), ElementsAre(0, 0, 0, 1, 2)));
  EXPECT_TRUE(count_matrix({}).cells.empty());
}

}  // namespace
}  // namespace guidegen
