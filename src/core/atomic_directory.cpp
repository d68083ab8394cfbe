#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/posix_file.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

fs::path without_trailing_slash(fs::path path) {
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::error_code error;
  // Through a symbolic link the folder that it names is the one replaced.
  if (fs::is_symlink(path, error)) {
    const fs::path real = fs::canonical(path, error);
    if (!error) path = real;
  }
  return path;
}

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_symlink()) continue;
    if (entry.is_directory()) {
      sync_folder(entry.path());
    } else if (entry.is_regular_file()) {
      PosixFile file(entry.path(), ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC), "read");
      file.sync();
    }
  }
  sync_folder(folder);
}

}  // namespace

AtomicDirectory::AtomicDirectory(fs::path final_path)
    : final_path_(without_trailing_slash(std::move(final_path))) {
  std::error_code error;
  const fs::file_status status = fs::status(final_path_, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw_failure(final_path_.string(), ": is a file, expected a folder");
  }
  const fs::path folder = folder_of(final_path_);
  make_directories(folder);
  do {
    staging_ = temporary_name(folder, ".partial");
    if (::mkdir(staging_.c_str(), 0777) == 0) return;
  } while (errno == EEXIST);
  fail_on(final_path_, "written");
}

AtomicDirectory::~AtomicDirectory() {
  if (committed_) return;
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
}

void AtomicDirectory::commit() {
  if (committed_) throw_failure(final_path_.string(), ": was committed before");
  try {
    sync_tree(staging_);
  } catch (const fs::filesystem_error& error) {
    throw_failure(final_path_.string(), ": cannot be written: ", error.code().message());
  }
  if (::rename(staging_.c_str(), final_path_.c_str()) != 0) {
    if (errno != ENOTEMPTY && errno != EEXIST) fail_on(final_path_, "written");
    replace_older();
  }
  committed_ = true;
  sync_folder(folder_of(final_path_));
}

void AtomicDirectory::replace_older() {
  std::error_code ignored;
  if (::renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, final_path_.c_str(), RENAME_EXCHANGE) ==
      0) {
    fs::remove_all(staging_, ignored);
    return;
  }
  // Not every network file system can exchange two names: step aside, with a way back.
  const fs::path older = temporary_name(folder_of(final_path_), ".old");
  if (::rename(final_path_.c_str(), older.c_str()) != 0) fail_on(final_path_, "replaced");
  if (::rename(staging_.c_str(), final_path_.c_str()) != 0) {
    const int reason = errno;
    ::rename(older.c_str(), final_path_.c_str());
    errno = reason;
    fail_on(final_path_, "replaced");
  }
  fs::remove_all(older, ignored);
}

}  // namespace guidegen
