#include "guidegen/text/term_matcher.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>
#include <map>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "text/tiny_bert.hpp"

namespace guidegen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr double kPi = 3.14159265358979323846;

/// Texts as points of the unit circle, by their angle in degrees, and all batches asked for.
class Circle {
 public:
  explicit Circle(std::map<std::string, double> angles) : angles_(std::move(angles)) {}

  SentenceEncoder encoder() {
    return [this](const std::vector<std::string>& texts) {
      batches.push_back(texts);
      const at::Tensor rows = torch::empty({static_cast<int64_t>(texts.size()), 2});
      for (size_t i = 0; i < texts.size(); ++i) {
        const double angle = angles_.at(texts[i]) * kPi / 180;
        rows[static_cast<int64_t>(i)][0] = std::cos(angle);
        rows[static_cast<int64_t>(i)][1] = std::sin(angle);
      }
      return rows;
    };
  }

  std::vector<std::vector<std::string>> batches;

 private:
  std::map<std::string, double> angles_;
};

TermMatching word_alone(double margin) { return {margin, {"{}"}}; }

const TermCandidates kCandidates = {{"kidney", "renal", "liver", "walk"}, {1, 1, 3, 0}};

Circle circle() {
  return Circle({{"kidney", 0},
                 {"renal", 10},
                 {"liver", 50},
                 {"walk", 120},
                 {"nephric", 9},
                 {"between", 29},
                 {"run", 121}});
}

TEST(TermMatcher, TakesTheNearestCandidateWithItsCosine) {
  Circle points = circle();
  const TermMatcher matcher = term_matcher(points.encoder(), word_alone(0.02));
  const auto found = matcher("nephric", kCandidates);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, 1U);
  EXPECT_NEAR(found->second, std::cos(kPi / 180), 1e-6);
}

TEST(TermMatcher, TheMarginIsToAnotherMeaning) {
  Circle points = circle();
  // 19 degrees from "renal", 21 from "liver": cosines 0.9455 and 0.9336.
  EXPECT_FALSE(term_matcher(points.encoder(), word_alone(0.02))("between", kCandidates));
  const auto found = term_matcher(points.encoder(), word_alone(0.01))("between", kCandidates);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, 1U);
  // "kidney" is within the margin of "renal", but means the same.
  EXPECT_TRUE(term_matcher(points.encoder(), word_alone(0.02))("nephric", kCandidates));
}

TEST(TermMatcher, WordsThatAreLikeOnesWithoutMeaningHaveNone) {
  Circle points = circle();
  EXPECT_FALSE(term_matcher(points.encoder(), word_alone(0))("run", kCandidates));
  EXPECT_FALSE(term_matcher(points.encoder(), word_alone(0))("run", {{}, {}}));
}

TEST(TermMatcher, OfEqualCandidatesTheFirstIsTaken) {
  Circle points({{"a", 20}, {"b", 20}, {"c", 80}, {"word", 20}});
  const auto found =
      term_matcher(points.encoder(), word_alone(0.1))("word", {{"c", "b", "a"}, {2, 1, 1}});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, 1U);
}

TEST(TermMatcher, EncodesCandidatesAndWordsOnce) {
  Circle points = circle();
  const TermMatcher matcher = term_matcher(points.encoder(), word_alone(0.02));
  EXPECT_THAT(points.batches, SizeIs(0));
  const TermMatcher copy = matcher;
  const auto first = matcher("nephric", kCandidates);
  EXPECT_EQ(copy("nephric", kCandidates), first);
  copy("run", kCandidates);
  ASSERT_THAT(points.batches, SizeIs(3));
  EXPECT_THAT(points.batches[0], testing::UnorderedElementsAreArray(kCandidates.terms));
  EXPECT_THAT(points.batches[1], ElementsAre("nephric"));
  EXPECT_THAT(points.batches[2], ElementsAre("run"));
  // Other candidates, as of another language, are their own.
  EXPECT_FALSE(copy("run", {{"walk"}, {0}}));
  ASSERT_THAT(points.batches, SizeIs(4));
  EXPECT_THAT(points.batches[3], ElementsAre("walk"));
}

TEST(TermMatcher, AveragesTheCosinesOfItsFrames) {
  Circle points({{"a", 0}, {"b", 60}, {"x", 20}, {"the a", 0}, {"the b", 50}, {"the x", 45}});
  const TermCandidates candidates = {{"a", "b"}, {1, 2}};
  const auto alone = term_matcher(points.encoder(), {0, {"{}"}})("x", candidates);
  const auto framed = term_matcher(points.encoder(), {0, {"{}", "the {}"}})("x", candidates);
  ASSERT_TRUE(alone && framed);
  EXPECT_EQ(alone->first, 0U);
  EXPECT_EQ(framed->first, 1U);
  EXPECT_NEAR(framed->second, (std::cos(40 * kPi / 180) + std::cos(5 * kPi / 180)) / 2, 1e-6);
}

TEST(TermMatcher, ManyCandidatesKeepTheirPlaces) {
  std::map<std::string, double> angles = {{"word", 33.1}};
  TermCandidates candidates;
  for (int i = 0; i < 170; ++i) {
    const std::string term =
        std::string(static_cast<size_t>(1 + (i * 7) % 5), 'x') + std::to_string(i);
    angles[term] = i;
    candidates.terms.push_back(term);
    candidates.meanings.push_back(1);
  }
  Circle points(angles);
  const auto found = term_matcher(points.encoder(), word_alone(0))("word", candidates);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, 33U);
}

TEST(TermMatcher, FramesMustHoldTheWord) {
  Circle points = circle();
  EXPECT_THAT(
      [&] {
        term_matcher(points.encoder(), {0, {"a word"}});
      },
      throws_usage(HasSubstr("'a word' has no {}")));
  EXPECT_THAT(
      [&] {
        term_matcher(points.encoder(), {0, {}});
      },
      throws_usage(HasSubstr("no frames")));
}

TEST(TermMatcher, ABertFolderGivesOne) {
  const TemporaryFolder folder;
  tiny_bert::write_tiny_bert(folder.path());
  const auto found = bert_term_matcher(folder.path())("c", {{"a b", "c", "d"}, {1, 1, 1}});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, 1U);
  EXPECT_NEAR(found->second, 1, 1e-5);
  EXPECT_ANY_THROW(bert_term_matcher(folder.path() / "missing"));
}

}  // namespace
}  // namespace guidegen
