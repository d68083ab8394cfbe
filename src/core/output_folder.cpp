#include "guidegen/core/output_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

bool is_leftover(const fs::path& path, std::chrono::hours age) {
  if (path.filename().string().rfind(".guidegen-", 0) != 0) return false;
  if (age.count() == 0) return true;
  std::error_code gone;  // whoever writes it may be renaming it now
  const auto touched = fs::last_write_time(path, gone);
  return !gone && fs::file_time_type::clock::now() - touched > age;
}

}  // namespace

void remove_leftovers(const fs::path& folder, std::chrono::hours age) {
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!is_leftover(entry.path(), age)) continue;
      std::error_code error;
      fs::remove_all(entry.path(), error);
      if (error) throw_failure(entry.path().string(), ": cannot be removed: ", error.message());
    }
  } catch (const fs::filesystem_error& error) {
    throw_failure(folder.string(), ": cannot be read: ", error.code().message());
  }
}

OutputFolder::OutputFolder(fs::path path) : path_(std::move(path)) {
  make_directories(path_);
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw_usage(path_.string(), ": another run is writing here, expected a folder of its own");
  }
  remove_leftovers(path_);  // under the lock nobody else can be using them
}

OutputFolder::~OutputFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace guidegen
