#include <gmock/gmock.h>

#include <algorithm>

#include "guidegen/prompt/free_text.hpp"

namespace guidegen {
namespace {

using ::testing::ElementsAre;

/// Takes `word` for `term`, and nothing else for anything.
TermMatcher takes(const std::string& word, const std::string& term, double cosine) {
  return [=](const std::string& words,
             const TermCandidates& candidates) -> std::optional<std::pair<size_t, double>> {
    if (words != word) return std::nullopt;
    const auto found = std::find(candidates.terms.begin(), candidates.terms.end(), term);
    EXPECT_NE(found, candidates.terms.end()) << term;
    return std::pair{static_cast<size_t>(found - candidates.terms.begin()), cosine};
  };
}

TEST(MatchedWords, AMatcherNamesWordsThatTheLexiconLacks) {
  const std::string text = "a blorbule in the left kidney";
  const TextReader& reader = TextReader::shipped();
  EXPECT_FALSE(reader.read(text, "en").prompt.tumors.has_value());
  const Understanding understanding = reader.read(text, "en", takes("blorbule", "tumor", 0.9));
  ASSERT_TRUE(understanding.prompt.tumors.has_value());
  EXPECT_THAT(
      *understanding.prompt.tumors,
      ElementsAre(TumorRequest{TumorOrgan::kKidney, TumorPosition::kKidneyLeft, 1, {}, {}}));
  // Below the threshold of the language it does not count.
  EXPECT_FALSE(reader.read(text, "en", takes("blorbule", "tumor", 0.7)).prompt.tumors.has_value());
}

TEST(MatchedWords, FindingsTellWhichWordsWereTakenForATerm) {
  const Understanding understanding = TextReader::shipped().read("a 2 cm tumor in the glorp", "en",
                                                                 takes("glorp", "pancreas", 0.875));
  ASSERT_TRUE(understanding.prompt.tumors.has_value());
  std::vector<std::string> fields;
  for (const Finding& one : understanding.findings) {
    if (!one.similarity) continue;
    fields.push_back(one.field + "=" + one.value);
    EXPECT_EQ(one.words, "glorp");
    EXPECT_EQ(*one.similarity, (Similarity{"pancreas", 0.875}));
  }
  EXPECT_THAT(fields, ElementsAre("tumors[0].organ=pancreas"));
  const Json findings = to_json(understanding)["findings"];
  const auto organ = std::find_if(findings.begin(), findings.end(), [](const Json& one) {
    return one["field"] == "tumors[0].organ";
  });
  ASSERT_NE(organ, findings.end());
  EXPECT_EQ((*organ)["similarity"], 0.875);
  EXPECT_EQ((*organ)["term"], "pancreas");
  for (const Json& one : findings) {
    EXPECT_EQ(one.contains("similarity"), one["field"] == "tumors[0].organ") << one;
  }
}

TEST(MatchedWords, CandidatesThatDecideNothingLeaveWordsUnknown) {
  const TextReader& reader = TextReader::shipped();
  const std::string text = "a 2 cm tumor of the glorp";
  for (const char* term : {"cyst", "brain", "hepatocellular", "perihilar", "several"}) {
    const Understanding plain = reader.read(text, "en");
    const Understanding matched = reader.read(text, "en", takes("glorp", term, 0.99));
    EXPECT_EQ(to_json(matched), to_json(plain)) << term;
  }
}

TEST(MatchedWords, WhatWasUnderstoodStaysAsItIs) {
  const TextReader& reader = TextReader::shipped();
  for (const char* text : {"seen by the glorp, a 2 cm tumor in the left kidney", "a glorp",
                           "normal CT of the glorp", "no tumor of the glorp"}) {
    const Understanding matched = reader.read(text, "en", takes("glorp", "liver", 0.99));
    EXPECT_EQ(to_json(matched), to_json(reader.read(text, "en"))) << text;
  }
}

TEST(MatchedWords, CandidatesOfOneMeaningShareANumber) {
  TermCandidates seen;
  const TermMatcher matcher =
      [&](const std::string&,
          const TermCandidates& candidates) -> std::optional<std::pair<size_t, double>> {
    seen = candidates;
    return std::nullopt;
  };
  TextReader::shipped().read("glorp", "en", matcher);
  ASSERT_EQ(seen.terms.size(), seen.meanings.size());
  const auto number = [&](const std::string& term) {
    const auto found = std::find(seen.terms.begin(), seen.terms.end(), term);
    EXPECT_NE(found, seen.terms.end()) << term;
    return seen.meanings.at(static_cast<size_t>(found - seen.terms.begin()));
  };
  EXPECT_EQ(number("kidney"), number("renal"));
  EXPECT_EQ(number("tumor"), number("nodules"));
  EXPECT_NE(number("kidney"), number("left kidney"));
  EXPECT_NE(number("kidney"), number("liver"));
  EXPECT_NE(number("tumor"), number("liver"));
  EXPECT_EQ(number("cyst"), 0U);
  EXPECT_EQ(number("spleen"), 0U);
}

}  // namespace
}  // namespace guidegen
