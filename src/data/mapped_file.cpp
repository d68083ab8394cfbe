#include "data/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "guidegen/core/error.hpp"

namespace guidegen {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw_failure(path.string(), ": cannot be opened: ", std::strerror(errno));
  struct stat status {};
  void* memory = MAP_FAILED;
  int problem = EINVAL;
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    size_ = static_cast<size_t>(status.st_size);
    memory = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    problem = errno;
  }
  ::close(descriptor);  // the mapping stays
  if (memory == MAP_FAILED) {
    throw_failure(path.string(), ": cannot be mapped: ", std::strerror(problem));
  }
  data_ = static_cast<char*>(memory);
}

MappedFile::~MappedFile() { ::munmap(data_, size_); }

}  // namespace guidegen
