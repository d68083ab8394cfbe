#include "guidegen/train/resource_usage.hpp"

#include <sys/resource.h>

#include <fstream>
#include <limits>
#include <string>

namespace guidegen {
namespace {

constexpr int64_t kKibibyte = 1024;  // /proc and getrusage on Linux count in these

}  // namespace

int64_t peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    int64_t kibibytes = 0;
    if (key == "VmHWM:" && status >> kibibytes) return kibibytes * kKibibyte;
    status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  struct rusage counters {};
  return ::getrusage(RUSAGE_SELF, &counters) == 0 ? counters.ru_maxrss * kKibibyte : 0;
}

}  // namespace guidegen
