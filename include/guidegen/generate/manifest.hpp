#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// What a case was made from; equal recipes give equal files.
struct Recipe {
  std::string prompt_sha256;                   ///< of the case's prompt.json
  std::map<std::string, std::string> weights;  ///< SHA-256 by file name
  Json settings;                               ///< sampling options and retry limit
};

/// manifest.jsonl of an output folder: one line a case. A line is appended (and synced) *before*
/// its folder appears, so a folder without a line was not made by us, and a line without a folder,
/// left by a kill in between, means nothing. write_ordered() leaves each finished case exactly
/// once.
class Manifest {
 public:
  /// Reads `<out>/manifest.jsonl` if there is one. Lines cut short by a crash are skipped with a
  /// warning.
  explicit Manifest(std::filesystem::path out);

  /// Appends the line of a case that is about to appear.
  void append(const Json& record);
  /// The folder of the last record of `id` is there now: its files need not be hashed again.
  void mark_complete(const std::string& id);
  /// The record whose hashes match the files of the case's folder, newest first; null when none
  /// does.
  const Json* find_verified(const std::string& id);
  bool has_record(const std::string& id) const { return records_.count(id) != 0; }

  /// Rewrites the file atomically: the cases of `order` first, others after them in the order of
  /// their lines; only those whose folder is there and verified. Returns the records written.
  std::vector<Json> write_ordered(const std::vector<std::string>& order);

  const std::filesystem::path& path() const { return path_; }

 private:
  bool matches_files(const Json& record) const;

  std::filesystem::path out_;
  std::filesystem::path path_;
  std::vector<std::string> seen_order_;
  std::map<std::string, std::vector<Json>> records_;  ///< by id, oldest first
  std::map<std::string, size_t> verified_;            ///< id -> index into its records
};

/// Files of a case folder, in the order of writing.
inline const std::vector<std::string> kCaseFiles = {"prompt.json", "mask.nii.gz", "ct.nii.gz",
                                                    "preview.png"};

/// Empty when the record was made by `recipe`, else what differs, for instance "the prompt
/// differs".
std::string recipe_difference(const Json& record, const Recipe& recipe);

}  // namespace guidegen
