#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace guidegen {

class PosixFile;

/// A new file that only grows. What was appended stays when the process is killed.
class AppendFile {
 public:
  /// Creates `path`; null when it exists already. Throws Error(kFailure) when it can't be created.
  static std::unique_ptr<AppendFile> create(const std::filesystem::path& path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Hands `bytes` to the operating system. Throws Error(kFailure) that names the file.
  void append(std::string_view bytes);

 private:
  explicit AppendFile(std::unique_ptr<PosixFile> file);
  std::unique_ptr<PosixFile> file_;
};

}  // namespace guidegen
