#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace guidegen {

/// How BERT cuts text (Devlin et al., NAACL 2019).
struct WordPieceOptions {
  bool lower_case = true;
  std::optional<bool> strip_accents;  ///< absent: as lower_case
  bool split_ideographs = true;       ///< every CJK ideograph is a word of its own
};

/// One entry of the vocabulary as found in a text.
struct Piece {
  int64_t id = 0;
  size_t begin = 0, end = 0;  ///< bytes of the text; both 0 for [CLS] and [SEP] put around it

  bool operator==(const Piece&) const = default;
};

/// WordPiece tokenizer of BERT, with the ids that Hugging Face's `tokenizers` gives.
///
/// 1. The special tokens [PAD], [UNK], [CLS], [SEP], [MASK] are found in the raw text, as they are
///    written; what lies between them goes on.
/// 2. Cleaning: control, format and private-use characters, U+0000 and U+FFFD are dropped, every
///    white space is a blank. Malformed UTF-8 reads as U+FFFD, so it is dropped too.
/// 3. Ideographs apart; canonical decomposition without nonspacing marks; lower case.
/// 4. Words: white space and punctuation part them, each punctuation character is a word.
/// 5. Greedy longest match from the left, "##" before all pieces but the first. A word that is
///    longer than 100 characters, or that does not come out even, is [UNK] as a whole.
///
/// Categories are those of Unicode 8, which the `tokenizers` library has; letter case is that of
/// the ICU at hand (72 knows Unicode 15, the library Unicode 17: 55 capitals that came between
/// keep their case here).
class WordPieceTokenizer {
 public:
  /// `vocabulary[id]`; must hold [PAD], [UNK], [CLS], [SEP] and no piece twice. `source` opens the
  /// messages. Throws Error(kUsage).
  WordPieceTokenizer(std::vector<std::string> vocabulary, WordPieceOptions options,
                     const std::string& source);
  /// vocab.txt and tokenizer_config.json (do_lower_case, strip_accents, tokenize_chinese_chars;
  /// other keys do not matter here; without the file: defaults) of a Hugging Face folder. Throws
  /// Error(kFailure) when vocab.txt can't be read, Error(kUsage) when something in them is wrong.
  static WordPieceTokenizer from_folder(const std::filesystem::path& folder);

  /// Pieces of `text` between [CLS] and [SEP], at most `most` in all (>= 2; the text loses its
  /// end).
  std::vector<Piece> encode(std::string_view text, size_t most = 512) const;

  const std::vector<std::string>& vocabulary() const { return vocabulary_; }
  const WordPieceOptions& options() const { return options_; }
  int64_t size() const { return static_cast<int64_t>(vocabulary_.size()); }
  int64_t padding() const { return padding_; }
  int64_t unknown() const { return unknown_; }

 private:
  struct Special {
    std::string text;
    int64_t id;
  };
  void add_text(std::string_view text, size_t offset, std::vector<Piece>& pieces) const;
  int64_t required(const char* token, const std::string& source) const;

  std::vector<std::string> vocabulary_;
  WordPieceOptions options_;
  std::unordered_map<std::string, int64_t> ids_;
  std::vector<Special> specials_;
  size_t longest_ = 0;  // bytes of the longest piece
  int64_t padding_ = 0, unknown_ = 0, start_ = 0, end_ = 0;
};

/// The pieces of a vocab.txt, one a line. Throws Error(kFailure).
std::vector<std::string> read_vocabulary(const std::filesystem::path& path);

/// The words that WordPiece cuts into pieces, normalized: for learning a vocabulary.
std::vector<std::string> word_piece_words(std::string_view text, const WordPieceOptions& options);

}  // namespace guidegen
