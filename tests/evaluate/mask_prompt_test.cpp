#include "guidegen/evaluate/mask_prompt.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "data/hand_made.hpp"
#include "evaluate/made_up_tumors.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/data/dataset.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;

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

/// Two cases on disk whose masks answer their prompts.
class MaskPromptFolders : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const TumorPosition position :
         {TumorPosition::kPancreasTail, TumorPosition::kLungLeftLower}) {
      Volume mask = schematic_patient(vocabulary_);
      draw(mask, vocabulary_.tumor(), place_of(position), {2, 2, 2});
      prompts_.push_back(asking({request(position, 1, 24)}, name_of(position)));
      std::filesystem::create_directories(root_ / prompts_.back().id);
      write_case_files(root_ / prompts_.back().id, prompts_.back(), mask, nullptr);
    }
  }
  MaskPromptReport judge(const std::vector<Prompt>& prompts) const {
    return evaluate_mask_prompt(root_, vocabulary_, {prompts, "other.json", {}});
  }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_ / "cases";
  const Vocabulary vocabulary_ = Vocabulary::load("torso");
  std::vector<Prompt> prompts_;
};

TEST_F(MaskPromptFolders, AreJudged) {
  const MaskPromptReport report = evaluate_mask_prompt(root_, vocabulary_);
  EXPECT_EQ(report.cases.size(), 2U);
  EXPECT_EQ(report.all.position.proportion, (Proportion{2, 2}));
  EXPECT_EQ(report.all.count.proportion, (Proportion{2, 2}));
  EXPECT_THAT(to_table(report), HasSubstr("100 % (34-100) of 2"));
  const Json json = to_json(report);
  EXPECT_EQ(json["cases"][1]["found"][0]["position"], "tail");
  EXPECT_EQ(json["cases"][1]["asked"][0]["found"], 0);
  EXPECT_EQ(json["all"]["organ"]["hits"], 2);
}

TEST_F(MaskPromptFolders, WithoutACaseAreRefused) {
  std::filesystem::remove_all(root_);
  EXPECT_THROW(evaluate_mask_prompt(root_, vocabulary_), Error);
}

TEST_F(MaskPromptFolders, AreJudgedByPromptsOfAFile) {
  std::vector<Prompt> others = prompts_;
  others[0].tumors = {request(TumorPosition::kPancreasHead, 2)};
  const MaskPromptReport report = judge(others);
  EXPECT_EQ(report.all.position.proportion, (Proportion{1, 3}));
  EXPECT_EQ(report.all.count.proportion, (Proportion{1, 2}));
}

TEST_F(MaskPromptFolders, SamplesFindTheirPromptInTheFile) {
  std::filesystem::rename(root_ / "tail", root_ / "tail-s01");
  EXPECT_EQ(judge(prompts_).all.organ.proportion, (Proportion{2, 2}));
}

TEST_F(MaskPromptFolders, PromptsOfAFileMustBeThoseOfTheCases) {
  std::vector<Prompt> others = prompts_;
  others.push_back(asking({}, "third"));
  EXPECT_THAT([&] { judge(others); }, throws_usage(HasSubstr("prompt 'third' has no case")));
  others = {prompts_[0]};
  EXPECT_THAT([&] { judge(others); }, throws_usage(HasSubstr("no prompt for case 'left-lower'")));
  others = prompts_;
  for (Prompt& prompt : others) prompt.tumors.reset();
  EXPECT_THAT([&] { judge(others); }, throws_usage(HasSubstr(".truth.json")));
}

TEST(MaskPrompt, SubgroupsHoldTheirOwnTumors) {
  Prompt woman = asking({request(TumorPosition::kLiverLeft, 1, 12)}, "a");
  woman.sex = Sex::kFemale;
  Prompt man = asking(
      {request(TumorPosition::kLiverLeft, 1, 16), request(TumorPosition::kLungLeftUpper, 1, 31)},
      "b");
  man.sex = Sex::kMale;
  const MaskPromptReport report = summarize_answers(
      {judge_tumors(woman, {}), judge_tumors(man, {found(TumorPosition::kLiverLeft, 16),
                                                   found(TumorPosition::kLungLeftLower, 31)})},
      {"size", "sex"});
  std::map<std::string, Proportion> organ, position;
  for (const Subgroup& group : report.subgroups) {
    organ[group.name] = group.summary.organ.proportion;
    position[group.name] = group.summary.position.proportion;
  }
  using Shares = std::map<std::string, Proportion>;
  EXPECT_EQ(organ, (Shares{{"<16 mm", {0, 1}},
                           {"16-30 mm", {1, 1}},
                           {">30 mm", {1, 1}},
                           {"female", {0, 1}},
                           {"male", {2, 2}}}));
  EXPECT_EQ(position.at(">30 mm"), (Proportion{0, 1}));
  EXPECT_THAT([&] { summarize_answers({}, {"age"}); }, throws_usage(HasSubstr("size or sex")));
}

TEST(MaskPrompt, SamplesOfOnePromptAreOneCluster) {
  EXPECT_EQ(prompt_id_of("case-7-s02"), "case-7");
  EXPECT_EQ(prompt_id_of("case-7-sample-2"), "case-7-sample-2");
  EXPECT_EQ(prompt_id_of("case-s1"), "case-s1");
  EXPECT_EQ(prompt_id_of("-s01"), "-s01");
  const auto answers = [](const std::string& first, const std::string& second) {
    std::vector<CaseAnswer> cases;
    for (int i = 0; i < 40; ++i) {
      const Prompt prompt = asking({request(TumorPosition::kLiverLeft, 1)},
                                   "case-" + std::to_string(i / 2) + (i % 2 == 0 ? first : second));
      // Both samples of a prompt succeed, or both fail.
      cases.push_back(judge_tumors(prompt, i / 2 % 2 == 0
                                               ? std::vector{found(TumorPosition::kLiverLeft, 9)}
                                               : std::vector<FoundTumor>{}));
    }
    return summarize_answers(std::move(cases)).all.organ;
  };
  const Share together = answers("-s01", "-s02");
  const Share apart = answers("-a", "-b");
  EXPECT_EQ(together.proportion, apart.proportion);
  const auto width = [](const Share& share) { return share.by_case.second - share.by_case.first; };
  // Half as many independent things: intervals wider by the root of two.
  EXPECT_NEAR(width(together) / width(apart), std::sqrt(2.0), 0.2);
  EXPECT_EQ(together.interval().first,
            std::min(together.by_case.first, together.proportion.interval().first));
}

TEST(MaskPrompt, PageNeedsNothingElseAndEscapesItsTitle) {
  const MaskPromptReport report = summarize_answers({judge_tumors(
      asking({request(TumorPosition::kKidneyLeft, 1)}), {found(TumorPosition::kKidneyRight, 20)})});
  const std::string page = to_page(report, "<masks>");
  EXPECT_THAT(page, HasSubstr("<title>&lt;masks&gt;</title>"));
  EXPECT_THAT(page, HasSubstr("<h2>kidney</h2>"));
  for (const char* outside : {"http:", "https:", "src=", "url(", "<masks>"}) {
    EXPECT_THAT(page, ::testing::Not(HasSubstr(outside)));
  }
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
