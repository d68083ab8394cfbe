#pragma once

#include <cstdint>
#include <string>

namespace guidegen {

/// Bytes of "8GiB", "500 MB", "1.5G", "4096": decimal units kB, MB, GB, TB, binary ones KiB, MiB,
/// GiB, TiB; the letters alone (k, M, G, T) are binary. Case does not matter. Throws Error(kUsage)
/// naming `what` for anything else, for nothing and for more than 2^62.
int64_t parse_memory_size(const std::string& text, const std::string& what);

/// "7.9 GiB", "512 MiB": to two digits below 10, else to whole units. With `at_least` rounded up,
/// so that what it says is enough.
std::string format_memory_size(int64_t bytes, bool at_least = false);

}  // namespace guidegen
