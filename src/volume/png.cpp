#include <string>

#include <zlib.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

constexpr int64_t kMaxSide = 1 << 15;

void put_be32(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

/// One PNG chunk: length, type, data, CRC over type and data (PNG specification, section 5.3).
void put_chunk(std::string& out, const std::string& type, const std::string& data) {
  put_be32(out, static_cast<uint32_t>(data.size()));
  const std::string body = type + data;
  out += body;
  const auto* bytes = reinterpret_cast<const Bytef*>(body.data());
  put_be32(out, static_cast<uint32_t>(crc32(0, bytes, static_cast<uInt>(body.size()))));
}

std::string deflated(const std::string& plain) {
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(plain.data()), static_cast<uLong>(plain.size()),
                Z_BEST_COMPRESSION) != Z_OK) {
    throw_failure("png: out of memory");
  }
  packed.resize(size);
  return packed;
}

}  // namespace

// Written here and not by ITK's PNG writer, which writes to a path only: pictures also go into HTML
// pages as text, and files must appear atomically.
std::string encode_png(const Picture& picture) {
  const int64_t width = picture.width;
  const int64_t height = picture.height;
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide ||
      picture.rgb.size() != static_cast<size_t>(3 * width * height)) {
    throw_failure("png: a picture of ", width, " by ", height, " pixels with ", picture.rgb.size(),
                  " bytes; expected three bytes a pixel and at most ", kMaxSide, " pixels a side");
  }
  std::string header;
  put_be32(header, static_cast<uint32_t>(width));
  put_be32(header, static_cast<uint32_t>(height));
  header += std::string("\x08\x02\x00\x00\x00", 5);  // 8 bits, RGB, deflate, filters, no interlace

  const auto stride = static_cast<size_t>(3 * width);
  std::string rows;
  rows.reserve((stride + 1) * static_cast<size_t>(height));
  for (size_t row = 0; row < static_cast<size_t>(height); ++row) {
    rows.push_back('\0');  // filter type "none"
    rows.append(reinterpret_cast<const char*>(picture.rgb.data()) + row * stride, stride);
  }

  std::string out("\x89PNG\r\n\x1A\n", 8);
  put_chunk(out, "IHDR", header);
  put_chunk(out, "IDAT", deflated(rows));
  put_chunk(out, "IEND", "");
  return out;
}

void write_png(const std::filesystem::path& path, const Picture& picture) {
  write_file_atomic(path, encode_png(picture));
}

}  // namespace guidegen
