#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace guidegen {

/// Objects keep the order of their keys, so that files we write read as they were meant.
using Json = nlohmann::ordered_json;

/// Parses strict JSON (UTF-8). Refuses duplicate keys, depth over 64, trailing text, NaN, numbers
/// that do not fit (integers 64 bits, others double) and U+0000 in text. Messages open with
/// `source` (a file name or flag), then line and column or the key path. Throws Error(kUsage).
Json parse_json(std::string_view text, const std::string& source);

/// parse_json on a file of at most 64 MiB. Throws Error(kFailure) when it can't be read.
Json read_json_file(const std::filesystem::path& path);

/// One-document pretty text with a final newline.
std::string dump_json(const Json& value);

/// `candidates` closest to `word` by edit distance, for "did you mean"; empty when none is near.
std::string nearest_match(const std::string& word, const std::vector<std::string>& candidates);

/// Typed, checked reading of one JSON object. Every getter marks its key as known; `finish()` then
/// refuses what is left. Messages read: `<source>: <key path>: <what is wrong>, expected <…>`.
/// A null member counts as absent. All throw Error(kUsage).
///
/// A JsonObject and everything got from it by reference view the document: keep that alive.
class JsonObject {
 public:
  /// `path` is the key path of this object inside its document, "" at the root.
  JsonObject(const Json& value, std::string source, std::string path = "");
  JsonObject(const Json&& temporary, std::string source, std::string path = "") = delete;

  bool has(const std::string& key) const;   ///< present and not null
  const Json& raw(const std::string& key);  ///< required, any type

  std::string text(const std::string& key);
  std::string text(const std::string& key, const std::string& fallback);
  bool boolean(const std::string& key);
  bool boolean(const std::string& key, bool fallback);
  int64_t integer(const std::string& key, int64_t low, int64_t high);
  int64_t integer(const std::string& key, int64_t low, int64_t high, int64_t fallback);
  uint64_t unsigned_integer(const std::string& key, uint64_t fallback);
  double number(const std::string& key, double low, double high);
  double number(const std::string& key, double low, double high, double fallback);
  /// One of `allowed`; the message lists them and the nearest.
  std::string choice(const std::string& key, const std::vector<std::string>& allowed);
  std::string choice(const std::string& key, const std::vector<std::string>& allowed,
                     const std::string& fallback);
  std::vector<double> numbers(const std::string& key, double low, double high);
  std::vector<int64_t> integers(const std::string& key, int64_t low, int64_t high);
  std::vector<std::string> texts(const std::string& key);
  JsonObject object(const std::string& key);
  std::vector<JsonObject> objects(const std::string& key);  ///< array of objects

  /// Throws for every key that no getter asked for, with the nearest known key.
  void finish() const;

  std::string path_of(const std::string& key) const;  ///< full key path, as messages name it
  const std::string& source() const { return source_; }
  const Json& value() const { return *value_; }
  /// Throws the message form above for `key`.
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const;

 private:
  const Json* value_;  // outlives this view
  std::string source_;
  std::string path_;
  mutable std::set<std::string> known_;
};

}  // namespace guidegen
