#pragma once

#include <cstddef>
#include <filesystem>

namespace guidegen {

/// A whole file as read-only memory, shared with all who map it. A file that is replaced by a
/// rename stays mapped as it was; one that is cut short in place makes reads fail with SIGBUS.
class MappedFile {
 public:
  /// Throws Error(kFailure) when it can't be opened or mapped, or is empty.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace guidegen
