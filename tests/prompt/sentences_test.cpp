#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/prompt/free_text.hpp"
#include "prompt/sentence_scores.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

constexpr double kWanted = 0.97;

std::vector<fs::path> labelled_files() {
  std::vector<fs::path> files;
  const fs::path folder = fs::path(GUIDEGEN_SOURCE_DIR) / "tests/prompt/sentences";
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The spans of an answer are where its words stand.
void check_spans(const std::string& text, const Understanding& understanding) {
  const auto check = [&](const auto& one) {
    ASSERT_LT(one.begin, one.end) << text;
    ASSERT_LE(one.end, text.size()) << text;
    EXPECT_EQ(text.substr(one.begin, one.end - one.begin), one.words) << text;
  };
  for (const Finding& one : understanding.findings) check(one);
  for (const Unused& one : understanding.unused) check(one);
}

/// Reads every sentence of a file twice: with the language told, and found out.
void score_file(const fs::path& file) {
  std::istringstream lines(read_file(file));
  SentenceScores told;
  SentenceScores detected;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) continue;
    const std::string source = concat(file.string(), ":", number);
    const Json document = parse_json(line, source);
    JsonObject object(document, source);
    const std::string text = object.text("text");
    const std::string language = object.text("language");
    const Prompt expected = prompt_from_json(object.raw("expect"), source, "expect");
    object.finish();
    const Understanding understanding = TextReader::shipped().read(text, language);
    check_spans(text, understanding);
    if (!told.add(expected, understanding.prompt)) {
      std::cout << source << ": " << text << "\n  expected " << to_json(expected).dump()
                << "\n  read     " << to_json(understanding.prompt).dump() << "\n";
    }
    detected.add(expected, TextReader::shipped().read(text).prompt);
  }
  ASSERT_GT(number, 0) << file;
  std::cout << file.filename().string() << ", language told\n" << told.table();
  std::cout << file.filename().string() << ", language detected\n" << detected.table();
  EXPECT_GE(told.share_right(), kWanted) << file;
  EXPECT_GE(detected.share_right(), kWanted) << file;
}

TEST(Sentences, FieldsOfLabelledSentencesAreRight) {
  const std::vector<fs::path> files = labelled_files();
  if (files.empty()) GTEST_SKIP() << "tests/prompt/sentences holds no labelled sentences";
  for (const fs::path& file : files) score_file(file);
}

TEST(SentenceScores, CountWrongMissingAndSuperfluousFields) {
  Prompt expected;
  expected.age = 60;
  expected.tumors = {{TumorOrgan::kLung, {}, 1, {}, {}}, {TumorOrgan::kLiver, {}, {}, {}, {}}};
  Prompt got;
  got.age = 61;
  got.sex = Sex::kMale;
  got.tumors = {{TumorOrgan::kLung, {}, 2, {}, {}}};
  SentenceScores scores;
  EXPECT_FALSE(scores.add(expected, got));
  // Of age, sex, two organs and a count, one organ is right.
  EXPECT_NEAR(scores.share_right(), 1.0 / 5, 1e-12);
  EXPECT_TRUE(scores.add(expected, expected));
  EXPECT_NEAR(scores.share_right(), 5.0 / 9, 1e-12);
}

}  // namespace
}  // namespace guidegen
