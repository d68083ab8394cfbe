#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include <zlib.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

constexpr int64_t kMaxSide = 1 << 15;
constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n";
constexpr size_t kHeadBytes = 33;  // signature and the whole chunk IHDR
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 28;

/// The bytes of a PNG file, with a message for whatever is wrong with them.
struct PngBytes {
  const std::filesystem::path& path;
  std::string_view bytes;

  [[noreturn]] void fail(const char* problem) const {
    throw_failure(path.string(), ": ", problem, ", expected a PNG picture of three 8-bit colors");
  }
  uint32_t be32(size_t at) const {
    uint32_t value = 0;
    for (size_t k = 0; k < 4; ++k) value = value << 8 | static_cast<unsigned char>(bytes[at + k]);
    return value;
  }
  /// Data of the chunk at `at`, which moves behind it (PNG specification, 5.3).
  std::string_view chunk(size_t& at, std::string_view& type) const {
    if (bytes.size() < at + 12 || bytes.size() - at - 12 < be32(at)) fail("cut short");
    const size_t length = be32(at);
    const std::string_view body = bytes.substr(at + 4, length + 4);
    const auto sum =
        crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    if (sum != be32(at + 8 + length)) fail("damaged");
    at += length + 12;
    type = body.substr(0, 4);
    return body.substr(4);
  }
};

std::array<int64_t, 2> size_of(const PngBytes& png) {
  if (png.bytes.size() < kHeadBytes || !png.bytes.starts_with(kSignature)) png.fail("no PNG file");
  size_t at = kSignature.size();
  std::string_view type;
  const std::string_view head = png.chunk(at, type);
  if (type != "IHDR" || head.size() != 13) png.fail("no PNG file");
  // 8 bits, RGB, deflate, filters by row, not interlaced: what encode_png writes.
  if (head.substr(8) != std::string_view("\x08\x02\x00\x00\x00", 5))
    png.fail("another kind of PNG");
  const std::array<int64_t, 2> size{png.be32(16), png.be32(20)};
  if (size[0] < 1 || size[1] < 1 || size[0] > kMaxSide || size[1] > kMaxSide) {
    throw_failure(png.path.string(), ": ", size[0], " by ", size[1], " pixels, expected 1 to ",
                  kMaxSide, " a side");
  }
  return size;
}

/// The filtered rows of the picture, from the data of all IDAT chunks.
std::string filtered_rows(const PngBytes& png, size_t wanted) {
  std::string packed;
  size_t at = kSignature.size();
  for (std::string_view type; type != "IEND";) {
    const std::string_view data = png.chunk(at, type);
    if (type == "IDAT") packed += data;
  }
  std::string rows(wanted, '\0');
  auto size = static_cast<uLongf>(wanted);
  const int outcome =
      uncompress(reinterpret_cast<Bytef*>(rows.data()), &size,
                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  if (outcome != Z_OK || size != wanted) png.fail("damaged");
  return rows;
}

/// Paeth predictor (PNG specification, 9.4): of left, above and upper left the nearest to a + b -
/// c.
int paeth(int a, int b, int c) {
  const int to_a = std::abs(b - c), to_b = std::abs(a - c), to_c = std::abs(a + b - 2 * c);
  if (to_a <= to_b && to_a <= to_c) return a;
  return to_b <= to_c ? b : c;
}

/// Undoes the filter of one row of `stride` bytes; `above` is the row before, or null.
bool unfilter(uint8_t* row, const uint8_t* above, size_t stride, uint8_t filter) {
  constexpr size_t kPixel = 3;
  for (size_t i = 0; i < stride; ++i) {
    const int a = i < kPixel ? 0 : row[i - kPixel];
    const int b = above == nullptr ? 0 : above[i];
    const int c = above == nullptr || i < kPixel ? 0 : above[i - kPixel];
    int predicted = 0;
    if (filter == 1) predicted = a;
    if (filter == 2) predicted = b;
    if (filter == 3) predicted = (a + b) / 2;
    if (filter == 4) predicted = paeth(a, b, c);
    row[i] = static_cast<uint8_t>(row[i] + predicted);
  }
  return filter <= 4;
}

}  // namespace

std::array<int64_t, 2> png_size(const std::filesystem::path& path) {
  std::string head(kHeadBytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(file.gcount()));
  return size_of({path, head});
}

// Not ITK's reader: the libpng under it ends the program when a file is damaged.
Picture read_png(const std::filesystem::path& path) {
  const std::string bytes = read_file(path, kMaxFileBytes);
  const PngBytes png{path, bytes};
  const auto [width, height] = size_of(png);
  const auto stride = static_cast<size_t>(3 * width);
  const auto count = static_cast<size_t>(height);
  const std::string rows = filtered_rows(png, (stride + 1) * count);
  Picture picture{width, height, std::vector<uint8_t>(stride * count)};
  const uint8_t* above = nullptr;
  for (size_t k = 0; k < count; ++k) {
    const auto* from = reinterpret_cast<const uint8_t*>(rows.data()) + k * (stride + 1);
    uint8_t* row = picture.rgb.data() + k * stride;
    std::copy_n(from + 1, stride, row);
    if (!unfilter(row, above, stride, from[0])) png.fail("damaged");
    above = row;
  }
  return picture;
}

}  // namespace guidegen
