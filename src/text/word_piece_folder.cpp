#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/text/word_piece.hpp"

namespace guidegen {

namespace {

constexpr uint64_t kMaxVocabularyBytes = 64 << 20;

}  // namespace

std::vector<std::string> read_vocabulary(const std::filesystem::path& path) {
  const std::string bytes = read_file(path, kMaxVocabularyBytes);
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', begin), bytes.size());
    lines.push_back(bytes.substr(begin, end - begin));
    if (!lines.back().empty() && lines.back().back() == '\r') lines.back().pop_back();
    begin = end + 1;
  }
  return lines;
}

WordPieceTokenizer WordPieceTokenizer::from_folder(const std::filesystem::path& folder) {
  WordPieceOptions options;
  const auto config = folder / "tokenizer_config.json";
  if (std::filesystem::exists(config)) {
    const Json document = read_json_file(config);
    JsonObject object(document, config.string());
    options.lower_case = object.boolean("do_lower_case", true);
    options.split_ideographs = object.boolean("tokenize_chinese_chars", true);
    if (object.has("strip_accents")) options.strip_accents = object.boolean("strip_accents");
  }
  const auto vocabulary = folder / "vocab.txt";
  return {read_vocabulary(vocabulary), options, vocabulary.string()};
}

}  // namespace guidegen
