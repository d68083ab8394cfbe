#include "guidegen/core/append_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "core/posix_file.hpp"

namespace guidegen {

AppendFile::AppendFile(std::unique_ptr<PosixFile> file) : file_(std::move(file)) {}
AppendFile::~AppendFile() = default;

std::unique_ptr<AppendFile> AppendFile::create(const std::filesystem::path& path) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) return nullptr;
  return std::unique_ptr<AppendFile>(
      new AppendFile(std::make_unique<PosixFile>(path, descriptor, "created")));
}

void AppendFile::append(std::string_view bytes) { file_->write_all(bytes); }

}  // namespace guidegen
