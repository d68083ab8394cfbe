#include "guidegen/core/json.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_set>
#include <utility>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

constexpr size_t kDeepest = 64;

/// A key or a piece of a message, short and harmless enough to print on one line.
std::string shown(const std::string& text) {
  constexpr size_t kLongest = 120;
  std::string result;
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte >= 0x7F ? '?' : c;
  }
  return text.size() > kLongest ? result + "…" : result;
}

/// What is wrong, from the library's "[json.exception…] parse error at line 1, column 2: syntax
/// error while parsing value - invalid literal; last read: 'x'".
std::string plain_reason(const std::string& message) {
  std::string reason = message;
  const auto drop_through = [&reason](const std::string& mark) {
    const size_t at = reason.find(mark);
    if (at != std::string::npos) reason.erase(0, at + mark.size());
  };
  if (reason.starts_with('[')) drop_through("] ");
  if (reason.starts_with("parse error")) drop_through(": ");
  if (reason.starts_with("syntax error while parsing ")) drop_through(" - ");
  return shown(reason);
}

/// Builds the document, refusing what a plain parse would let pass. The library's parser keeps its
/// own stack, so depth is bounded here, before anything recursive (copy, destroy, dump) sees it.
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Json take() { return std::move(root_); }

  bool null() override { return put(Json()); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& literal) override {
    // The library turns integers over 64 bits into floats, silently losing digits.
    if (literal.find_first_of(".eE") == std::string::npos) {
      refuse("integer " + shown(literal) + " does not fit 64 bits");
    }
    return put(value);
  }
  bool string(string_t& value) override {
    if (value.find('\0') != std::string::npos) refuse("text holds the character U+0000");
    return put(std::move(value));
  }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!levels_.back().keys.insert(name).second) {
      refuse("key \"" + shown(name) + "\" appears twice");
    }
    levels_.back().key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    const std::string_view before =
        text_.substr(0, std::min(position, text_.size() + 1) - (position > 0 ? 1 : 0));
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto columns =
        std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    throw_usage(source_, ": line ", lines + 1, ", column ", columns + 1,
                ": not valid JSON: ", plain_reason(error.what()));
  }

 private:
  struct Level {
    Json* container;
    std::string key;  // of the member that comes next, in objects
    std::unordered_set<std::string> keys;
  };

  Json* add(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Level& level = levels_.back();
    if (level.container->is_array()) {
      level.container->push_back(std::move(value));
      return &level.container->back();
    }
    // ordered_map searches all keys before it inserts; `keys` has done that in constant time.
    Json::object_t::Container& members = level.container->get_ref<Json::object_t&>();
    members.emplace_back(level.key, std::move(value));
    return &members.back().second;
  }

  bool put(Json value) {
    add(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (levels_.size() >= kDeepest) {
      throw_usage(source_, ": nested deeper than ", kDeepest, " levels");
    }
    // Containers above do not grow while this one is open, so the pointer stays good.
    Json* added = add(std::move(container));
    levels_.push_back({added, "", {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  [[noreturn]] void refuse(const std::string& problem) const {
    std::string path;
    for (size_t i = 0; i < levels_.size(); ++i) {
      const Level& level = levels_[i];
      if (level.container->is_array()) {
        const size_t open_below = i + 1 < levels_.size() ? 1 : 0;
        path += "[" + std::to_string(level.container->size() - open_below) + "]";
      } else if (!level.key.empty() && i + 1 < levels_.size()) {
        path += (path.empty() ? "" : ".") + shown(level.key);
      }
    }
    throw_usage(source_, ": ", path, path.empty() ? "" : ": ", problem);
  }

  std::string_view text_;
  const std::string& source_;
  Json root_;
  std::vector<Level> levels_;
};

size_t edit_distance(const std::string& a, const std::string& b) {
  // Optimal string alignment: insertions, deletions, changes and swaps of neighbors cost 1 each.
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  StrictBuilder builder(text, source);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    throw_usage(source, ": not valid JSON");
  }
  return builder.take();
}

Json read_json_file(const std::filesystem::path& path) {
  return parse_json(read_file(path, uint64_t{64} << 20), path.string());
}

std::string dump_json(const Json& value) {
  try {
    return value.dump(2) + "\n";
  } catch (const nlohmann::json::exception&) {
    throw_failure("text that is not UTF-8 cannot be written as JSON");
  }
}

std::string nearest_match(const std::string& word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 64;
  if (word.empty() || word.size() > kLongest) return "";
  // A third of the word may be wrong; more than that is another word.
  size_t best = std::max<size_t>(1, word.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const size_t distance = edit_distance(lower_case(word), lower_case(candidate));
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace guidegen
