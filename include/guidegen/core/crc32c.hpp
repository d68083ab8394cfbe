#pragma once

#include <cstdint>
#include <string_view>

namespace guidegen {

/// CRC-32C (Castagnoli; RFC 3720, section 12.1): reflected polynomial 0x82F63B78.
uint32_t crc32c(std::string_view bytes);

}  // namespace guidegen
