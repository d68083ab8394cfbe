#include "guidegen/core/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/posix_file.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace fs = std::filesystem;

std::string read_file(const fs::path& path, uint64_t max_bytes) {
  const PosixFile file(path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC), "read");
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) file.fail("read");
  if (S_ISDIR(status.st_mode)) throw_failure(path.string(), ": is a folder, expected a file");
  const auto too_large = [&] {
    throw_failure(path.string(), ": is too large, expected at most ", max_bytes, " bytes");
  };
  if (S_ISREG(status.st_mode) && static_cast<uint64_t>(status.st_size) > max_bytes) too_large();
  std::string bytes;
  // Pipes have no size, and a file may grow while it is read: read until the end in any case.
  bytes.reserve(S_ISREG(status.st_mode) ? static_cast<size_t>(status.st_size) : 0);
  std::string chunk(size_t{1} << 16, '\0');
  for (;;) {
    const ssize_t count = ::read(file.descriptor(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) file.fail("read");
    if (count == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(count) > max_bytes) too_large();
    bytes.append(chunk.data(), static_cast<size_t>(count));
  }
}

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) throw_failure(path.string(), ": is a folder, expected a file");
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    // Pipes and devices (/dev/stdout, /dev/null) are written as they are; nothing can replace them.
    PosixFile device(path, ::open(path.c_str(), O_WRONLY | O_CLOEXEC), "written");
    device.write_all(bytes);
    device.close();
    return;
  }
  // A symbolic link keeps pointing at the file that it names; that file is the one replaced.
  const fs::path target = fs::is_regular_file(status) ? fs::canonical(path, error) : path;
  if (error && fs::exists(status)) throw_failure(path.string(), ": ", error.message());

  const fs::path folder = folder_of(target);
  const auto [temporary, descriptor] = open_temporary_file(folder, path);
  try {
    PosixFile file(path, descriptor, "written");
    file.write_all(bytes);
    file.sync();
    file.close();
    if (::rename(temporary.c_str(), target.c_str()) != 0) fail_on(path, "written");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(folder);
}

void append_line(const fs::path& path, std::string_view line, bool sync) {
  if (line.find('\n') != std::string_view::npos) {
    throw_failure(path.string(), ": a line to append holds a line break");
  }
  PosixFile file(path, ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666),
                 "written");
  // Several processes may append to one manifest. Where locks do not work O_APPEND must do.
  ::flock(file.descriptor(), LOCK_EX);
  const off_t size = ::lseek(file.descriptor(), 0, SEEK_END);
  std::string text;
  char last = '\n';
  // A line cut short by a crash gets its own line end, so that it can't spoil this one.
  if (size > 0 && ::pread(file.descriptor(), &last, 1, size - 1) == 1 && last != '\n') text = "\n";
  text.append(line);
  text += '\n';
  try {
    file.write_all(text);
    if (sync) file.sync();
  } catch (...) {
    // Disk full: take back the part that fitted. When even that fails the first error is the news.
    if (size >= 0 && ::ftruncate(file.descriptor(), size) != 0) errno = 0;
    throw;
  }
  file.close();
}

void check_file_name(const std::string& name, const std::string& what) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  std::string problem;
  if (name.empty()) {
    problem = "is empty";
  } else if (name.size() > 128) {
    problem = concat("has ", name.size(), " characters");
  } else if (name.front() == '.') {
    problem = "starts with a dot";
  } else if (!std::all_of(name.begin(), name.end(), allowed)) {
    problem = "holds other characters";
  } else {
    return;
  }
  throw_usage(what, ": ", problem,
              ", expected 1 to 128 letters, digits, '.', '_' or '-', without a leading dot");
}

void make_directories(const fs::path& path) {
  if (path.empty()) return;
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path, error) && !error) {
    throw_failure(path.string(), ": is a file, expected a folder");
  }
  if (error) throw_failure(path.string(), ": folder cannot be made: ", error.message());
}

}  // namespace guidegen
