#pragma once

#include <cstdint>

namespace guidegen {

/// What this process takes of the machine's memory.
struct ResourceUsage {
  int64_t resident_bytes = 0;       ///< in memory now (VmRSS)
  int64_t peak_resident_bytes = 0;  ///< the most there ever was (VmHWM)
  int64_t major_faults = 0;  ///< pages that had to be read from disk since the process started
};

/// Reads /proc/self/status; where that is missing, getrusage(2), which knows the peak alone: the
/// resident size is then reported as the peak.
ResourceUsage resource_usage();

}  // namespace guidegen
