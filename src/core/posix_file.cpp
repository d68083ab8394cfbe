#include "core/posix_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace fs = std::filesystem;

void fail_on(const fs::path& path, std::string_view what) {
  const std::string reason = std::strerror(errno);
  throw_failure(path.string(), ": cannot be ", what, ": ", reason);
}

PosixFile::PosixFile(fs::path path, int descriptor, std::string_view what)
    : path_(std::move(path)), descriptor_(descriptor) {
  if (descriptor_ < 0) fail(what);
}

PosixFile::~PosixFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void PosixFile::write_all(std::string_view bytes) {
  // Linux writes at most about 2 GiB a call.
  constexpr size_t kLargestWrite = size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kLargestWrite));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("written");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void PosixFile::sync() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) fail("written");
}

void PosixFile::close() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && errno != EINTR) fail("written");
}

fs::path folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // a folder that may be written but not listed
  const bool failed = ::fsync(descriptor) != 0 && errno == EIO;
  ::close(descriptor);
  if (failed) throw_failure(folder.string(), ": cannot be synced: ", std::strerror(EIO));
}

fs::path temporary_name(const fs::path& folder, const std::string& suffix) {
  static std::atomic<unsigned> counter{0};
  return folder / (".guidegen-" + std::to_string(::getpid()) + "-" +
                   std::to_string(counter.fetch_add(1)) + suffix);
}

std::pair<fs::path, int> open_temporary_file(const fs::path& folder, const fs::path& meant_for) {
  // Process ids are unique on one machine only; a folder shared by several needs O_EXCL and a
  // retry.
  for (;;) {
    fs::path name = temporary_name(folder, ".tmp");
    const int descriptor =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor >= 0) return {std::move(name), descriptor};
    if (errno != EEXIST) fail_on(meant_for, "written");
  }
}

}  // namespace guidegen
