#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace guidegen {

/// Throws Error(kFailure) "<path>: cannot be <what>: <text of errno>".
[[noreturn]] void fail_on(const std::filesystem::path& path, std::string_view what);

/// An open file descriptor whose errors name the path that the user knows, not a temporary one.
class PosixFile {
 public:
  /// Takes over `descriptor`; when it is negative throws with the text of errno.
  PosixFile(std::filesystem::path path, int descriptor, std::string_view what);
  ~PosixFile();
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  int descriptor() const { return descriptor_; }
  void write_all(std::string_view bytes);
  void sync();
  /// Reports what the destructor could not: some file systems run out of space only here.
  void close();
  [[noreturn]] void fail(std::string_view what) const { fail_on(path_, what); }

 private:
  std::filesystem::path path_;
  int descriptor_;
};

/// The folder that holds `path`, "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// Makes the entries of a folder durable. File systems that can't sync folders are let off.
void sync_folder(const std::filesystem::path& folder);

/// A name in `folder` that no other process picks at the same time.
std::filesystem::path temporary_name(const std::filesystem::path& folder,
                                     const std::string& suffix);

/// Creates a fresh file in `folder`; errors name `meant_for`.
std::pair<std::filesystem::path, int> open_temporary_file(const std::filesystem::path& folder,
                                                          const std::filesystem::path& meant_for);

}  // namespace guidegen
