#include <algorithm>

#include "bitmap_font.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

constexpr int64_t kMargin = 6;  // pixels around each cell
constexpr int64_t kScale = 2;   // screen pixels per font pixel
constexpr int64_t kAdvance = (kGlyphWidth + 1) * kScale;
constexpr int64_t kLineHeight = (kGlyphHeight + 2) * kScale;
constexpr uint8_t kInk = 230;

Picture black(int64_t width, int64_t height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height), 0)};
}

void paste(const Picture& from, int64_t left, int64_t top, Picture& onto) {
  for (int64_t y = 0; y < from.height; ++y) {
    std::copy_n(from.rgb.begin() + 3 * y * from.width, 3 * from.width,
                onto.rgb.begin() + 3 * ((top + y) * onto.width + left));
  }
}

void draw_glyph(const Glyph& shape, int64_t left, int64_t top, Picture& onto) {
  for (int64_t y = 0; y < kGlyphHeight * kScale; ++y) {
    for (int64_t x = 0; x < kGlyphWidth * kScale; ++x) {
      const int bit = static_cast<int>(kGlyphWidth - 1 - x / kScale);
      if (((shape[static_cast<size_t>(y / kScale)] >> bit) & 1) == 0) continue;
      std::fill_n(onto.rgb.begin() + 3 * ((top + y) * onto.width + left + x), 3, kInk);
    }
  }
}

/// One line of text; what does not fit into `width` pixels is cut and ends in "...".
void draw_line(std::string text, int64_t left, int64_t top, int64_t width, Picture& onto) {
  const auto fits = static_cast<size_t>(std::max<int64_t>(width / kAdvance, 0));
  if (text.size() > fits) {
    text.resize(fits);
    for (size_t k = fits > 3 ? fits - 3 : 0; k < fits; ++k) text[k] = '.';
  }
  for (size_t k = 0; k < text.size(); ++k) {
    draw_glyph(glyph(text[k]), left + static_cast<int64_t>(k) * kAdvance, top, onto);
  }
}

/// UTF-8 text with one '?' for each character that the font lacks.
std::string plain_ascii(const std::string& text) {
  std::string plain;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if ((code & 0xC0) == 0x80) continue;  // the rest of a character already counted
    plain.push_back(code >= 0x20 && code < 0x7F ? byte : '?');
  }
  return plain;
}

}  // namespace

Picture contact_sheet(const std::vector<Picture>& pictures,
                      const std::vector<std::string>& captions, int64_t columns) {
  if (pictures.empty() || columns < 1 || captions.size() != pictures.size()) {
    throw_failure("contact sheet: ", pictures.size(), " pictures with ", captions.size(),
                  " captions in ", columns,
                  " columns; expected one caption each, 1 or more of all");
  }
  const auto count = static_cast<int64_t>(pictures.size());
  columns = std::min(columns, count);
  const int64_t rows = (count + columns - 1) / columns;
  int64_t width = 0;
  int64_t height = 0;
  for (const Picture& picture : pictures) {
    width = std::max(width, picture.width);
    height = std::max(height, picture.height);
  }
  const int64_t cell_width = width + 2 * kMargin;
  const int64_t cell_height = height + kLineHeight + 2 * kMargin;
  Picture sheet = black(columns * cell_width, rows * cell_height);
  for (int64_t k = 0; k < count; ++k) {
    const Picture& picture = pictures[static_cast<size_t>(k)];
    const int64_t left = k % columns * cell_width + kMargin;
    const int64_t top = k / columns * cell_height + kMargin;
    paste(picture, left + (width - picture.width) / 2, top + (height - picture.height) / 2, sheet);
    draw_line(plain_ascii(captions[static_cast<size_t>(k)]), left, top + height + kScale, width,
              sheet);
  }
  return sheet;
}

}  // namespace guidegen
