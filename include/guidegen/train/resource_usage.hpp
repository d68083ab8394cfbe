#pragma once

#include <cstdint>

namespace guidegen {

/// Most memory in bytes that this process ever had (VmHWM of /proc/self/status; where that is
/// missing, what getrusage(2) says, which may be a parent's).
int64_t peak_resident_bytes();

}  // namespace guidegen
