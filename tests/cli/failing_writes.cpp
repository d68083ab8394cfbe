// A shared library for LD_PRELOAD under which a disk fills up: below the folder
// $GUIDEGEN_FAIL_UNDER, writes, syncs and renames succeed $GUIDEGEN_FAIL_AFTER times; from then on
// all fail with $GUIDEGEN_FAIL_ERRNO (28 is ENOSPC), the first of them after writing half.
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atomic>

namespace {

std::atomic<long> calls{0};

bool is_below(const char* path) {
  const char* folder = ::getenv("GUIDEGEN_FAIL_UNDER");
  return folder != nullptr && ::strncmp(path, folder, ::strlen(folder)) == 0;
}

bool is_below(int descriptor) {
  char link[64], path[4096];
  ::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return is_below(path);
}

long limit() { return ::atol(::getenv("GUIDEGEN_FAIL_AFTER")); }

int fail() {
  errno = ::atoi(::getenv("GUIDEGEN_FAIL_ERRNO"));
  return -1;
}

template <typename Function>
Function original(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* data, size_t size) {
  static const auto real = original<ssize_t (*)(int, const void*, size_t)>("write");
  if (!is_below(descriptor)) return real(descriptor, data, size);
  const long call = ++calls;
  if (call == limit() + 1 && size > 1) return real(descriptor, data, size / 2);
  return call > limit() ? fail() : real(descriptor, data, size);
}

int fsync(int descriptor) {
  static const auto real = original<int (*)(int)>("fsync");
  if (!is_below(descriptor)) return real(descriptor);
  return ++calls > limit() ? fail() : real(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = original<int (*)(const char*, const char*)>("rename");
  if (!is_below(to)) return real(from, to);
  return ++calls > limit() ? fail() : real(from, to);
}

}  // extern "C"
