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

/// Temporary names of core/files.hpp; under the lock nobody else can be using them.
bool is_leftover(const std::string& name) { return name.rfind(".guidegen-", 0) == 0; }

}  // namespace

void remove_leftovers(const fs::path& folder) {
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!is_leftover(entry.path().filename().string())) continue;
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
  remove_leftovers(path_);
}

OutputFolder::~OutputFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace guidegen
