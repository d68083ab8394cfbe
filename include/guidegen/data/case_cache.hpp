#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "guidegen/data/training_case.hpp"

namespace guidegen {

/// Decoded cases as flat files `<folder>/<key>.case` that are mapped into memory: opening one costs
/// a read of its bytes instead of gunzipping and counting tumors, and all processes of a machine
/// share the one copy that the page cache holds.
///
/// The key is a SHA-256 of whatever decides the content: path inside the data set, size, time of
/// change (ns) and last 8 bytes (for .gz: CRC-32 and length) of the source files, the vocabulary,
/// and the versions of program and format. A case that changed has another key, so nothing stale is
/// served; files under keys of the past stay until somebody deletes them, which is safe at any
/// time. Files are written aside, synced and renamed: of several processes that make the same one
/// the last wins, and all were whole. What a killed process left half-written goes after a day.
/// Checksums guard the content: a damaged, truncated or foreign file is made anew, with a warning.
class CaseCache {
 public:
  /// `dataset` must outlive the cache. The folder is made when missing; where that fails (a file
  /// system that is full or can't be written) a warning says so and nothing is stored. Throws
  /// Error(kUsage) when `folder` is a file.
  CaseCache(const Dataset& dataset, std::filesystem::path folder);

  /// As load_training_case, but from the cache, which it adds the case to when missing. When
  /// writing fails the first time a warning says so, and no more is stored. Thread-safe.
  std::shared_ptr<const TrainingCase> load(size_t index, bool with_ct);

  /// File that holds a case as its sources are now. Throws Error(kFailure) when one can't be read.
  std::filesystem::path path_of(size_t index, bool with_ct) const;

 private:
  std::string key_of(size_t index, bool with_ct) const;
  std::shared_ptr<const TrainingCase> find(const std::string& key, size_t index, bool with_ct);
  bool store(const std::string& key, const TrainingCase& item);
  std::filesystem::path path_of(const std::string& key) const;
  void warn_of_damage(const std::filesystem::path& path, const char* problem);

  const Dataset& dataset_;
  std::filesystem::path folder_;
  std::string vocabulary_sha256_;
  std::atomic<bool> writable_{true};
  std::mutex mutex_;
  std::set<std::string> warned_;  // paths
};

}  // namespace guidegen
