#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace guidegen {

/// The plain bytes of a file that may be gzip-compressed, read once from front to back. Unlike
/// gzread, which ITK uses, it checks the whole stream: a damaged checksum, a stream that stops
/// early and bytes after its end are errors. All members throw Error(kFailure) naming the file.
class ByteSource {
 public:
  /// `gzip`: the file must be gzip data (one member or several); otherwise it must not be.
  ByteSource(const std::filesystem::path& path, bool gzip);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Reads up to `count` bytes; fewer only where the data ends.
  size_t read(void* out, size_t count);

 private:
  size_t read_compressed(void* out, size_t count);
  bool refill();
  void start_next_member();

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string name_;
  std::unique_ptr<std::FILE, Close> file_;
  bool gzip_;
  bool member_ended_ = false;
  std::vector<unsigned char> input_;
  z_stream stream_{};
};

/// One gzip member without time or file name, so that equal bytes compress to equal bytes.
std::string gzip_compress(std::string_view bytes);

}  // namespace guidegen
