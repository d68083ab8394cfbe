#include "guidegen/text/word_piece.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"
#include "text/bert_characters.hpp"

namespace guidegen {

namespace {

using bert::Character;
using Characters = std::vector<Character>;

constexpr size_t kLongestWord = 100;  // characters

Characters clean(const Characters& text) {
  Characters out;
  out.reserve(text.size());
  for (auto c : text) {
    if (bert::is_dropped(c.code_point)) continue;
    if (bert::is_space(c.code_point)) c.code_point = ' ';
    out.push_back(c);
  }
  return out;
}

Characters normalize(std::string_view text, const WordPieceOptions& options) {
  Characters out = clean(bert::decode(text));
  if (options.split_ideographs) {
    Characters apart;
    apart.reserve(out.size());
    for (const auto& c : out) {
      const bool split = bert::is_ideograph(c.code_point);
      if (split) apart.push_back({' ', c.begin, c.begin});
      apart.push_back(c);
      if (split) apart.push_back({' ', c.end, c.end});
    }
    out = std::move(apart);
  }
  if (options.strip_accents.value_or(options.lower_case)) {
    out = bert::decompose(out);
    std::erase_if(out, [](const Character& c) { return bert::is_accent(c.code_point); });
  }
  return options.lower_case ? bert::lower_case(out) : out;
}

std::vector<Characters> words_of(std::string_view text, const WordPieceOptions& options) {
  std::vector<Characters> words;
  bool open = false;  // the last word may grow
  for (const auto& c : normalize(text, options)) {
    if (bert::is_space(c.code_point)) {
      open = false;
      continue;
    }
    const bool alone = bert::is_punctuation(c.code_point);
    if (alone || !open) words.emplace_back();
    words.back().push_back(c);
    open = !alone;
  }
  return words;
}

}  // namespace

std::vector<std::string> word_piece_words(std::string_view text, const WordPieceOptions& options) {
  std::vector<std::string> words;
  for (const auto& word : words_of(text, options)) {
    auto& out = words.emplace_back();
    for (const auto& c : word) bert::append_utf8(out, c.code_point);
  }
  return words;
}

WordPieceTokenizer::WordPieceTokenizer(std::vector<std::string> vocabulary,
                                       WordPieceOptions options, const std::string& source)
    : vocabulary_(std::move(vocabulary)), options_(options) {
  for (size_t id = 0; id < vocabulary_.size(); ++id) {
    const auto& piece = vocabulary_[id];
    if (piece.empty()) throw_usage(source, ": line ", id + 1, ": empty, expected a piece");
    if (!ids_.emplace(piece, static_cast<int64_t>(id)).second) {
      throw_usage(source, ": line ", id + 1, ": \"", piece, "\" is there already (line ",
                  ids_.at(piece) + 1, "), expected each piece once");
    }
    longest_ = std::max(longest_, piece.size());
  }
  padding_ = required("[PAD]", source);
  unknown_ = required("[UNK]", source);
  start_ = required("[CLS]", source);
  end_ = required("[SEP]", source);
  for (const char* token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    if (const auto found = ids_.find(token); found != ids_.end()) {
      specials_.push_back({token, found->second});
    }
  }
}

int64_t WordPieceTokenizer::required(const char* token, const std::string& source) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) throw_usage(source, ": no ", token, ", expected it among the pieces");
  return found->second;
}

void WordPieceTokenizer::add_text(std::string_view text, size_t offset,
                                  std::vector<Piece>& pieces) const {
  for (const auto& word : words_of(text, options_)) {
    const size_t before = pieces.size();
    const auto whole = [&] {
      pieces.resize(before);
      pieces.push_back({unknown_, offset + word.front().begin, offset + word.back().end});
    };
    if (word.size() > kLongestWord) {
      whole();
      continue;
    }
    std::string bytes;
    std::vector<size_t> ends{0};  // in `bytes`, of the first n characters
    for (const auto& c : word) {
      bert::append_utf8(bytes, c.code_point);
      ends.push_back(bytes.size());
    }
    for (size_t first = 0; first < word.size();) {
      const std::string prefix = first == 0 ? "" : "##";
      size_t last = word.size();
      auto found = ids_.end();
      for (; last > first; --last) {
        const size_t length = ends[last] - ends[first];
        if (prefix.size() + length > longest_) continue;
        found = ids_.find(prefix + bytes.substr(ends[first], length));
        if (found != ids_.end()) break;
      }
      if (last == first) {
        whole();
        break;
      }
      pieces.push_back({found->second, offset + word[first].begin, offset + word[last - 1].end});
      first = last;
    }
  }
}

std::vector<Piece> WordPieceTokenizer::encode(std::string_view text, size_t most) const {
  if (most < 2) throw_usage("WordPiece: room for ", most, " pieces, expected 2 or more");
  std::vector<Piece> pieces{{start_, 0, 0}};
  size_t begin = 0;
  for (size_t at = text.find('['); at != text.npos && pieces.size() < most;) {
    const auto special = std::find_if(specials_.begin(), specials_.end(), [&](const Special& s) {
      return text.substr(at).starts_with(s.text);
    });
    if (special == specials_.end()) {
      at = text.find('[', at + 1);
      continue;
    }
    add_text(text.substr(begin, at - begin), begin, pieces);
    begin = at + special->text.size();
    pieces.push_back({special->id, at, begin});
    at = text.find('[', begin);
  }
  add_text(text.substr(begin), begin, pieces);
  if (pieces.size() > most - 1) pieces.resize(most - 1);
  pieces.push_back({end_, 0, 0});
  return pieces;
}

}  // namespace guidegen
