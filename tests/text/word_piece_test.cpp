#include "guidegen/text/word_piece.hpp"

#include <gmock/gmock.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> words(const std::string& text, const WordPieceOptions& options = {}) {
  return word_piece_words(text, options);
}

WordPieceTokenizer toy() {
  return {
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "tum", "##or", "##s", "a", ",", "肝", "e"}, {}, "toy"};
}

std::vector<int64_t> ids(const WordPieceTokenizer& tokenizer, const std::string& text,
                         size_t most = 512) {
  std::vector<int64_t> found;
  for (const auto& piece : tokenizer.encode(text, most)) found.push_back(piece.id);
  return found;
}

TEST(WordPiece, LongestPiecesComeFirst) {
  EXPECT_THAT(ids(toy(), "a tumors, TUMOR"), ElementsAre(2, 7, 4, 5, 6, 8, 4, 5, 3));
}

TEST(WordPiece, AWordThatDoesNotComeOutEvenIsUnknownAsAWhole) {
  EXPECT_THAT(ids(toy(), "tumorx a"), ElementsAre(2, 1, 7, 3));
}

TEST(WordPiece, TruncationKeepsTheEndMark) {
  EXPECT_THAT(ids(toy(), "a a a a a", 4), ElementsAre(2, 7, 7, 3));
  EXPECT_THAT(ids(toy(), "a", 2), ElementsAre(2, 3));
}

TEST(WordPiece, SpecialTokensAreReadAsWritten) {
  EXPECT_THAT(ids(toy(), "a[SEP]a [sep]"), ElementsAre(2, 7, 3, 7, 1, 1, 1, 3));
}

TEST(WordPiece, PiecesKnowTheirBytes) {
  const auto pieces = toy().encode("  t\u00FCmors,\u809D");
  const std::vector<Piece> wanted{{2, 0, 0},  {4, 2, 6},   {5, 6, 8}, {6, 8, 9},
                                  {8, 9, 10}, {9, 10, 13}, {3, 0, 0}};
  EXPECT_EQ(pieces, wanted);
}

TEST(WordPiece, CombiningMarksLieOutsideThePieceBeforeThem) {
  const std::vector<Piece> wanted{{2, 0, 0}, {10, 0, 1}, {7, 4, 5}, {3, 0, 0}};
  EXPECT_EQ(toy().encode("e\u0301 a"), wanted);
}

TEST(WordPiece, MalformedUtf8AndControlsAreDropped) {
  EXPECT_THAT(words("tu\xFFm\xC3or \xED\xA0\x80x"), ElementsAre("tumor", "x"));
  EXPECT_THAT(words(std::string("a\0b\x01"
                                "c",
                                5)),
              ElementsAre("abc"));
  EXPECT_THAT(words("\xC3"), ElementsAre());
}

// Places where tokenizers are known to differ.
TEST(WordPiece, UnicodePitfalls) {
  EXPECT_THAT(words("\u0130\u0131"), ElementsAre("i\u0131"));  // dotted I, dotless i
  EXPECT_THAT(words("\u039F\u0394\u039F\u03A3"), ElementsAre("\u03BF\u03B4\u03BF\u03C3"));  // ΟΔΟΣ
  EXPECT_THAT(words("STRA\u1E9EE stra\u00DFe"), ElementsAre("stra\u00DFe", "stra\u00DFe"));
  EXPECT_THAT(words("\uFB01broma"), ElementsAre("\uFB01broma"));    // compatibility ligature
  EXPECT_THAT(words("\uD55C"), ElementsAre("\u1112\u1161\u11AB"));  // Hangul in its jamo
  EXPECT_THAT(words("\u212B\u2126"), ElementsAre("a\u03C9"));       // signs that are letters
  EXPECT_THAT(words("\u01C5"), ElementsAre("\u01C6"));              // title case
  EXPECT_THAT(words("na\u00EFve"), ElementsAre("naive"));
  EXPECT_THAT(words("a\u00ADb\u200Bc"), ElementsAre("abc"));  // soft hyphen, zero width space
  EXPECT_THAT(words("a\u00A0b\u3000c\u2028d"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(words("$5<6^`~"), ElementsAre("$", "5", "<", "6", "^", "`", "~"));
  EXPECT_THAT(words("\u20AC5\u00B0C"), ElementsAre("\u20AC5\u00B0c"));  // symbols part no words
  EXPECT_THAT(words("x\u4E00\u3042\u3044\U00020000y"),
              ElementsAre("x", "\u4E00", "\u3042\u3044", "\U00020000", "y"));
  EXPECT_THAT(words("\U0001F468\u200D\U0001F469"), ElementsAre("\U0001F468\U0001F469"));
}

TEST(WordPiece, OptionsTurnNormalizationOff) {
  EXPECT_THAT(words("\u00C9A", {false, {}, true}), ElementsAre("\u00C9A"));
  EXPECT_THAT(words("\u00C9\u0130", {true, false, true}), ElementsAre("\u00E9i\u0307"));
  EXPECT_THAT(words("\u00C9", {false, true, true}), ElementsAre("E"));
  EXPECT_THAT(words("\u4E00\u4E01", {true, {}, false}), ElementsAre("\u4E00\u4E01"));
}

TEST(WordPiece, VocabulariesAreChecked) {
  const auto make = [](std::vector<std::string> pieces) {
    return [pieces] { WordPieceTokenizer(pieces, {}, "vocab.txt"); };
  };
  EXPECT_THAT(make({"[PAD]", "[UNK]", "[CLS]"}),
              throws_usage(AllOf(HasSubstr("vocab.txt"), HasSubstr("[SEP]"))));
  EXPECT_THAT(make({"a", "b", "a"}), throws_usage(HasSubstr("vocab.txt: line 3: \"a\"")));
  EXPECT_THAT(make({"a", ""}), throws_usage(HasSubstr("vocab.txt: line 2: empty")));
}

TEST(WordPiece, FolderOptionsAreRead) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { WordPieceTokenizer::from_folder(folder.path()); },
              throws_failure(HasSubstr("vocab.txt")));
  write_file_atomic(folder / "vocab.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nA\r\n");
  write_file_atomic(folder / "tokenizer_config.json",
                    R"({"do_lower_case": false, "never_split": null, "strip_accents": null})");
  EXPECT_THAT(ids(WordPieceTokenizer::from_folder(folder.path()), "A a"), ElementsAre(2, 4, 1, 3));
  write_file_atomic(folder / "tokenizer_config.json", R"({"do_lower_case": "no"})");
  EXPECT_THAT([&] { WordPieceTokenizer::from_folder(folder.path()); },
              throws_usage(AllOf(HasSubstr("tokenizer_config.json"), HasSubstr("do_lower_case"))));
}

}  // namespace
}  // namespace guidegen
