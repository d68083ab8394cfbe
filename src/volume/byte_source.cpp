#include "byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr size_t kInputBytes = size_t{1} << 16;
constexpr int kGzipWindow = 15 + 16;  // zlib: largest window, gzip framing with CRC-32
// Level 6 takes three times as long on CT noise and saves 3 % of the bytes.
constexpr int kCompressionLevel = 4;

uInt bounded(size_t bytes) {
  return static_cast<uInt>(std::min<size_t>(bytes, std::numeric_limits<uInt>::max()));
}

}  // namespace

ByteSource::ByteSource(const std::filesystem::path& path, bool gzip)
    : name_(path.string()), gzip_(gzip), input_(kInputBytes) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw_failure(name_, ": is a folder, not a file");
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (!file_) throw_failure(name_, ": cannot be opened: ", std::strerror(errno));

  unsigned char magic[2] = {0, 0};
  const size_t got = std::fread(magic, 1, sizeof(magic), file_.get());
  if (got == 0) throw_failure(name_, ": is empty");
  std::rewind(file_.get());
  const bool is_gzip = got == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
  if (gzip && !is_gzip) throw_failure(name_, ": is not gzip data, as its name ending in .gz says");
  if (!gzip && is_gzip) throw_failure(name_, ": is gzip data; its name should end in .nii.gz");
  if (gzip && inflateInit2(&stream_, kGzipWindow) != Z_OK) throw_failure(name_, ": out of memory");
}

ByteSource::~ByteSource() {
  if (gzip_) inflateEnd(&stream_);
}

size_t ByteSource::read(void* out, size_t count) {
  if (gzip_) return read_compressed(out, count);
  const size_t got = std::fread(out, 1, count, file_.get());
  if (got < count && std::ferror(file_.get())) {
    throw_failure(name_, ": cannot be read: ", std::strerror(errno));
  }
  return got;
}

size_t ByteSource::read_compressed(void* out, size_t count) {
  size_t done = 0;
  while (done < count) {
    if (stream_.avail_in == 0 && !refill()) {
      if (member_ended_) return done;
      throw_failure(name_, ": the gzip data stops before its end (truncated file)");
    }
    if (member_ended_) start_next_member();
    stream_.next_out = static_cast<Bytef*>(out) + done;
    const uInt room = bounded(count - done);
    stream_.avail_out = room;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    done += room - stream_.avail_out;
    if (status == Z_STREAM_END) {
      member_ended_ = true;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw_failure(name_, ": damaged gzip data: ", stream_.msg ? stream_.msg : zError(status));
    }
  }
  return done;
}

bool ByteSource::refill() {
  const size_t got = std::fread(input_.data(), 1, input_.size(), file_.get());
  if (got == 0 && std::ferror(file_.get())) {
    throw_failure(name_, ": cannot be read: ", std::strerror(errno));
  }
  stream_.next_in = input_.data();
  stream_.avail_in = static_cast<uInt>(got);
  return got > 0;
}

void ByteSource::start_next_member() {
  // A second member may follow (RFC 1952, section 2.2); anything else is not part of the image.
  if (stream_.next_in[0] != 0x1F) {
    throw_failure(name_, ": has bytes after the end of its gzip data; expected none");
  }
  inflateReset(&stream_);
  member_ended_ = false;
}

std::string gzip_compress(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kCompressionLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw_failure("gzip: out of memory");
  }
  std::string out;
  std::vector<char> chunk(size_t{1} << 18);
  size_t taken = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0 && taken < bytes.size()) {
      const uInt feed = bounded(bytes.size() - taken);
      // zlib does not write through next_in; its type is older than const.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));
      stream.avail_in = feed;
      taken += feed;
    }
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = deflate(&stream, taken == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace guidegen
