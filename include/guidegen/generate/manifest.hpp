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
  Json settings;                               ///< sampling options
  Json gates;                                  ///< GateSettings
  std::string dicom;                           ///< files beside NIfTI: "", "ct" or "ct+seg"
  int retries = 0;  ///< further attempts allowed; only cases that needed more depend on it
};

/// Where the process of this rank notes the cases that it makes: manifest.jsonl for the first, a
/// file of its own (manifest-<rank>.jsonl) for each other. Lines that several machines append to
/// one file of a network file system may overwrite each other, and its locks may not reach.
std::filesystem::path manifest_path(const std::filesystem::path& out, int rank = 0);

/// The manifest of an output folder: one line a case. A line is appended (and synced) *before* its
/// folder appears, so a folder without a line was not made by us, and a line without a folder, left
/// by a kill in between, means nothing. write_ordered() leaves each finished case exactly once.
class Manifest {
 public:
  /// Reads the manifests of all ranks that are there. Lines cut short by a crash are skipped with a
  /// warning.
  explicit Manifest(std::filesystem::path out);

  /// The folder of `id` holds what a record of this recipe says: its files need not be hashed
  /// again, unless records of several processes differ in them.
  void mark_complete(const std::string& id, const Recipe& recipe);
  /// The record whose hashes match the files of the case's folder, newest first; null when none
  /// does.
  const Json* find_verified(const std::string& id);
  bool has_record(const std::string& id) const { return records_.count(id) != 0; }

  /// Rewrites manifest.jsonl atomically and removes those of other ranks: the cases of `order`
  /// first, others after them in the order of their lines; only those whose files are there. Files
  /// are hashed only where records disagree about them. Returns the records written. Throws
  /// Stopped.
  std::vector<Json> write_ordered(const std::vector<std::string>& order);

 private:
  void read(const std::filesystem::path& path);
  bool has_files(const Json& record) const;
  bool matches_files(const Json& record) const;
  const Json* find_present(const std::string& id);

  std::filesystem::path out_;
  std::vector<std::filesystem::path> other_ranks_;  ///< their files, as read
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
