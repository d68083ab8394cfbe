#include "guidegen/train/resource_usage.hpp"

#include <sys/resource.h>

#include <fstream>
#include <limits>
#include <string>

namespace guidegen {
namespace {

constexpr int64_t kKibibyte = 1024;  // /proc and getrusage on Linux count in these

}  // namespace

ResourceUsage resource_usage() {
  ResourceUsage usage;
  struct rusage counters {};
  if (::getrusage(RUSAGE_SELF, &counters) == 0) {
    usage.major_faults = counters.ru_majflt;
    usage.peak_resident_bytes = counters.ru_maxrss * kKibibyte;
    usage.resident_bytes = usage.peak_resident_bytes;
  }
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    int64_t kibibytes = 0;
    if (key == "VmHWM:" && status >> kibibytes) usage.peak_resident_bytes = kibibytes * kKibibyte;
    if (key == "VmRSS:" && status >> kibibytes) usage.resident_bytes = kibibytes * kKibibyte;
    status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return usage;
}

}  // namespace guidegen
