// What matching by similarity brings with the real encoder: skipped where there is none.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/text/term_matcher.hpp"
#include "prompt/sentence_scores.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

constexpr double kThreshold = 0.75;  // matcher_threshold of English

/// Where scripts/setup.sh --with-teacher put the language model.
fs::path teacher_folder() {
  const char* folder = std::getenv("GUIDEGEN_TEACHER");
  return folder == nullptr ? fs::path() : fs::path(folder);
}

struct Counts {
  int asked = 0;  // words that the lexicon lacks
  int right = 0;
  int wrong = 0;
  std::string wrong_ones;
};

class UnknownWords : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(teacher_folder() / "model.safetensors")) {
      GTEST_SKIP() << "no teacher in '" << teacher_folder().string()
                   << "'; scripts/setup.sh --with-teacher fetches it";
    }
    matcher_ = bert_term_matcher(teacher_folder());
  }

  Json read(const std::string& text, const TermMatcher& matcher) const {
    return to_json(TextReader::shipped().read(text, "en", matcher).prompt);
  }

  bool is_unknown(const std::string& word) const {
    bool asked = false;
    read(
        "There is " + word + ".",
        [&](const std::string&, const TermCandidates&) -> std::optional<std::pair<size_t, double>> {
          asked = true;
          return std::nullopt;
        });
    return asked;
  }

  /// `meaning` is an organ, "tumor" or "none".
  void add(const std::string& word, const std::string& meaning, Counts& counts) const {
    if (!is_unknown(word)) return;
    ++counts.asked;
    // Where tumors are understood, no guess changes them.
    const std::string aside = "Seen after " + word + ": a 3 cm mass in the right lower lobe.";
    EXPECT_EQ(read(aside, matcher_), read(aside, {})) << word;
    const std::string as_place = "A 3 cm tumor in the " + word + ".";
    const std::string as_tumor = "There is a " + word + " in the left kidney.";
    const bool place_given = read(as_place, matcher_) != read(as_place, {});
    const bool tumor_given = read(as_tumor, matcher_) != read(as_tumor, {});
    if (!place_given && !tumor_given) return;
    bool right = false;
    if (meaning == "tumor") right = tumor_given && !place_given;
    if (meaning != "tumor" && meaning != "none" && place_given && !tumor_given) {
      const Json tumors = read(as_place, matcher_)["tumors"];
      right = tumors.size() == 1 && tumors[0]["organ"] == meaning;
    }
    ++(right ? counts.right : counts.wrong);
    if (!right) counts.wrong_ones += " " + word;
  }

  TermMatcher matcher_;
};

TEST_F(UnknownWords, FewAreTakenForWhatTheyAreNot) {
  const fs::path file = fs::path(GUIDEGEN_SOURCE_DIR) / "tests/text/unknown_words.json";
  const Json lists = parse_json(read_file(file), file.string());
  for (const auto& [name, list] : lists.items()) {
    Counts meant;
    Counts others;
    Counts related;
    for (const auto& [meaning, words] : list.items()) {
      Counts& counts = meaning == "related" ? related : meaning == "none" ? others : meant;
      for (const Json& word : words) add(word, meaning == "related" ? "none" : meaning, counts);
    }
    std::cout << name << ": of " << meant.asked << " words for organs and tumors " << meant.right
              << " right, " << meant.wrong << " wrong:" << meant.wrong_ones << "; of "
              << others.asked << " others " << others.wrong << " wrong:" << others.wrong_ones
              << "; of " << related.asked << " around the organs " << related.wrong
              << " taken for them:" << related.wrong_ones << "\n";
    EXPECT_GE(meant.asked, 30) << name;
    EXPECT_GE(others.asked, 100) << name;
    EXPECT_GE(meant.right, meant.asked / 4) << name;
    EXPECT_LT(meant.wrong + others.wrong, 0.01 * (meant.asked + others.asked)) << name;
  }
}

TEST_F(UnknownWords, LabelledSentencesAreReadNoWorse) {
  int files = 0;
  int asked = 0;
  int taken = 0;
  const TermMatcher counting = [&](const std::string& words, const TermCandidates& candidates) {
    const auto found = matcher_(words, candidates);
    ++asked;
    taken += found && found->second >= kThreshold ? 1 : 0;
    return found;
  };
  for (const auto& entry :
       fs::directory_iterator(fs::path(GUIDEGEN_SOURCE_DIR) / "tests/prompt/sentences")) {
    if (entry.path().extension() != ".jsonl") continue;
    ++files;
    SentenceScores without;
    SentenceScores with;
    std::istringstream lines(read_file(entry.path()));
    for (std::string line; std::getline(lines, line);) {
      if (line.empty()) continue;
      const Json document = parse_json(line, entry.path().string());
      const std::string text = document["text"];
      const Prompt expected = prompt_from_json(document["expect"], entry.path().string(), "expect");
      const auto read = [&](const TermMatcher& matcher) {
        return TextReader::shipped().read(text, "auto", matcher).prompt;
      };
      const Prompt plain = read({});
      const Prompt matched = read(counting);
      without.add(expected, plain);
      with.add(expected, matched);
      if (!(plain == matched)) {
        std::cout << text << "\n  " << to_json(plain).dump() << "\n  " << to_json(matched).dump()
                  << "\n";
      }
    }
    std::cout << entry.path().filename().string() << ": " << 100 * without.share_right()
              << " % of fields right without, " << 100 * with.share_right() << " % with\n";
    EXPECT_GE(with.share_right(), without.share_right()) << entry.path();
  }
  std::cout << "of " << asked << " words that the lexicons lack, in all languages, " << taken
            << " are within " << kThreshold << " of a term\n";
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace guidegen
