#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace guidegen {

/// Whole file as bytes. Throws Error(kFailure) when missing, unreadable or over `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 32);

/// Writes through a temporary file in the same folder, fsync and rename: readers see the old file
/// or the whole new one. Throws Error(kFailure); nothing is left behind then.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

/// Appends one line (a newline is added) with a single write, then fsync when `sync`.
void append_line(const std::filesystem::path& path, std::string_view line, bool sync = false);

/// A folder that appears whole or not at all: fill `staging()`, then `commit()` fsyncs and renames
/// it to its final name (replacing an older one). Without commit the destructor removes it. Staging
/// is a hidden sibling (".guidegen-<process>-<n>.partial"), which only a killed process leaves
/// behind.
class AtomicDirectory {
 public:
  explicit AtomicDirectory(std::filesystem::path final_path);
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  const std::filesystem::path& staging() const { return staging_; }
  /// Throws Error(kFailure); the older folder is still in place then.
  void commit();

 private:
  void replace_older();
  std::filesystem::path final_path_;
  std::filesystem::path staging_;
  bool committed_ = false;
};

/// Ids that become file names: 1 to 128 of letters, digits, `.`, `_`, `-`, no leading dot.
/// Throws Error(kUsage) naming `what` (for instance "prompts.json: [3].id").
void check_file_name(const std::string& name, const std::string& what);

/// Creates `path` and its parents. Throws Error(kFailure).
void make_directories(const std::filesystem::path& path);

}  // namespace guidegen
