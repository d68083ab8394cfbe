#pragma once

#include <array>
#include <cstdint>

namespace guidegen {

constexpr int64_t kGlyphWidth = 5;
constexpr int64_t kGlyphHeight = 7;

/// Rows of a glyph from the top; the lowest five bits are its pixels, the highest of them leftmost.
using Glyph = std::array<uint8_t, 7>;

/// Glyph of a printable ASCII character; of '?' for any other.
const Glyph& glyph(char character);

}  // namespace guidegen
