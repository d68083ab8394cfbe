#include "guidegen/text/word_piece_training.hpp"

#include <algorithm>
#include <map>

#include "guidegen/core/error.hpp"

namespace guidegen {

namespace {

struct Word {
  std::vector<size_t> pieces;
  int64_t count = 0;
};

using Pair = std::pair<size_t, size_t>;

bool is_ascii(const std::string& word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::vector<std::string> first_pieces() {
  std::vector<std::string> pieces{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (const char* prefix : {"", "##"}) {
    for (char c = '!'; c <= '~'; ++c) {
      if (c < 'A' || c > 'Z') pieces.push_back(std::string(prefix) + c);
    }
  }
  return pieces;
}

std::vector<Word> count_words(const std::vector<std::string>& texts,
                              const WordPieceOptions& options,
                              const std::map<std::string, size_t>& ids) {
  std::map<std::string, int64_t> counts;
  for (const auto& text : texts) {
    for (const auto& word : word_piece_words(text, options)) {
      if (is_ascii(word)) ++counts[word];
    }
  }
  std::vector<Word> words;
  for (const auto& [text, count] : counts) {
    Word word{{}, count};
    for (const char c : text) {
      const auto found = ids.find((word.pieces.empty() ? "" : "##") + std::string(1, c));
      if (found == ids.end()) break;  // a capital, where case is kept
      word.pieces.push_back(found->second);
    }
    if (word.pieces.size() == text.size()) words.push_back(std::move(word));
  }
  return words;
}

void merge(Word& word, const Pair& pair, size_t into) {
  std::vector<size_t> merged;
  for (size_t i = 0; i < word.pieces.size(); ++i) {
    const bool here = i + 1 < word.pieces.size() && word.pieces[i] == pair.first &&
                      word.pieces[i + 1] == pair.second;
    merged.push_back(here ? into : word.pieces[i]);
    if (here) ++i;
  }
  word.pieces = std::move(merged);
}

void add_pairs(const Word& word, int64_t weight, std::map<Pair, int64_t>& pairs) {
  for (size_t i = 0; i + 1 < word.pieces.size(); ++i) {
    pairs[{word.pieces[i], word.pieces[i + 1]}] += weight * word.count;
  }
}

}  // namespace

std::vector<std::string> learn_word_pieces(const std::vector<std::string>& texts, size_t size,
                                           const WordPieceOptions& options) {
  auto pieces = first_pieces();
  if (size < pieces.size()) {
    throw_usage("a vocabulary of ", size, " pieces has no room for ASCII, expected ", pieces.size(),
                " or more");
  }
  std::map<std::string, size_t> ids;
  for (size_t i = 0; i < pieces.size(); ++i) ids[pieces[i]] = i;
  auto words = count_words(texts, options, ids);
  std::map<Pair, int64_t> pairs;
  for (const auto& word : words) add_pairs(word, 1, pairs);
  while (pieces.size() < size) {
    const auto best =
        std::max_element(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) {
          return a.second != b.second ? a.second < b.second : b.first < a.first;
        });
    if (best == pairs.end() || best->second < 2) break;
    const Pair pair = best->first;
    const std::string piece = pieces[pair.first] + pieces[pair.second].substr(2);
    const auto [place, fresh] = ids.emplace(piece, pieces.size());
    if (fresh) pieces.push_back(piece);
    for (auto& word : words) {
      const auto at =
          std::adjacent_find(word.pieces.begin(), word.pieces.end(), [&](size_t a, size_t b) {
            return Pair{a, b} == pair;
          });
      if (at == word.pieces.end()) continue;
      add_pairs(word, -1, pairs);
      merge(word, pair, place->second);
      add_pairs(word, 1, pairs);
    }
    std::erase_if(pairs, [](const auto& item) { return item.second == 0; });
  }
  return pieces;
}

std::string to_lines(const std::vector<std::string>& vocabulary) {
  std::string lines;
  for (const auto& piece : vocabulary) lines += piece + "\n";
  return lines;
}

}  // namespace guidegen
