// Needs the Python package tokenizers (scripts/setup.sh); skipped without it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/text/word_piece.hpp"
#include "text/small_vocabulary.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

std::string python() {
  const char* chosen = std::getenv("GUIDEGEN_PYTHON");
  return chosen ? chosen : "python3";
}

/// The vocabulary of the teacher, where scripts/setup.sh --with-teacher put it.
fs::path teacher_folder() {
  const char* folder = std::getenv("GUIDEGEN_TEACHER");
  return folder ? folder : "";
}

class WordPieceOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system((python() + " -c 'import tokenizers' 2>/dev/null").c_str()) != 0) {
      GTEST_SKIP() << "the Python package tokenizers is not installed";
    }
  }

  Json ask(const std::string& arguments) const {
    const auto out = folder_ / "out.json";
    const std::string command = python() + " '" + GUIDEGEN_SOURCE_DIR +
                                "/tests/oracle/word_piece_oracle.py' " + arguments + " '" +
                                out.string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return read_json_file(out);
  }

  /// `pieces_wanted`: distinct ids that the texts must reach, so that agreement means something.
  void expect_same_ids(const fs::path& folder, size_t pieces_wanted) const {
    const auto tokenizer = WordPieceTokenizer::from_folder(folder);
    const Json cases = ask("ids '" + folder.string() + "'");
    ASSERT_GE(cases.size(), 10000U);
    std::set<int64_t> seen;
    int failures = 0;
    for (const auto& item : cases) {
      const auto pieces = tokenizer.encode(item["text"].get<std::string>());
      Json ids = Json::array(), spans = Json::array();
      for (const auto& piece : pieces) {
        ids.push_back(piece.id);
        spans.push_back({piece.begin, piece.end});
        seen.insert(piece.id);
      }
      if (ids == item["ids"] && spans == item["spans"]) continue;
      ADD_FAILURE() << item["text"] << "\nours:   " << ids << " " << spans
                    << "\ntheirs: " << item["ids"] << " " << item["spans"];
      if (++failures == 5) break;
    }
    EXPECT_GE(seen.size(), pieces_wanted);
  }

  const TemporaryFolder folder_;
};

TEST_F(WordPieceOracle, AgreesOnManyScriptsWithASmallVocabulary) {
  write_small_vocabulary(folder_.path());
  write_file_atomic(folder_ / "tokenizer_config.json", "{\"do_lower_case\": true}");
  expect_same_ids(folder_.path(), 1500);
}

TEST_F(WordPieceOracle, AgreesWithEveryOptionTurnedRound) {
  write_small_vocabulary(folder_.path());
  for (const char* config :
       {R"({"do_lower_case": false})", R"({"do_lower_case": true, "strip_accents": false})",
        R"({"do_lower_case": false, "strip_accents": true, "tokenize_chinese_chars": false})"}) {
    SCOPED_TRACE(config);
    write_file_atomic(folder_ / "tokenizer_config.json", config);
    expect_same_ids(folder_.path(), 1500);
  }
}

TEST_F(WordPieceOracle, AgreesWithTheVocabularyOfTheTeacher) {
  if (!fs::exists(teacher_folder() / "vocab.txt")) {
    GTEST_SKIP() << "no teacher in '" << teacher_folder().string()
                 << "'; scripts/setup.sh --with-teacher fetches it";
  }
  expect_same_ids(teacher_folder(), 10000);
}

// Capitals that Unicode got after version 15: an older ICU leaves them as they are.
bool is_recent_capital(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  return c == 0x1C89 || within(0xA7CB, 0xA7DC) || within(0x10D50, 0x10D65) ||
         within(0x16EA0, 0x16EB8);
}

char32_t second_character(const std::string& text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text.at(i)); };
  const size_t length = byte(1) < 0x80 ? 1 : byte(1) < 0xE0 ? 2 : byte(1) < 0xF0 ? 3 : 4;
  char32_t c = length == 1 ? byte(1) : byte(1) & (0x7FU >> length);
  for (size_t i = 2; i <= length; ++i) c = c << 6 | (byte(i) & 0x3FU);
  return c;
}

/// Text and words, cut at each bar.
std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char c : text) c == '|' ? parts.emplace_back() : parts.back() += c;
  return parts;
}
std::vector<std::string> parts_of(const std::vector<std::string>& words) {
  std::vector<std::string> parts{""};
  for (const auto& word : words) {
    if (word == "|") {
      parts.emplace_back();
    } else {
      parts.back() += word + " ";
    }
  }
  return parts;
}

TEST_F(WordPieceOracle, TreatsEveryCodePointAsTheReferenceDoes) {
  size_t compared = 0;
  for (const auto& item : ask("words")) {
    const auto text = item["text"].get<std::string>();
    const auto characters = parts_of(text);
    const auto ours = parts_of(word_piece_words(text, {}));
    const auto theirs = parts_of(item["words"].get<std::vector<std::string>>());
    ASSERT_EQ(ours.size(), characters.size());
    ASSERT_EQ(theirs.size(), characters.size());
    for (size_t i = 0; i < characters.size(); ++i, ++compared) {
      const auto c = second_character(characters[i]);
      if (is_recent_capital(c)) continue;
      EXPECT_EQ(ours[i], theirs[i]) << std::hex << uint32_t{c};
    }
  }
  EXPECT_GT(compared, 200000U);
}

}  // namespace
}  // namespace guidegen
