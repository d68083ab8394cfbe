#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace guidegen::safetensors {

inline constexpr uint64_t kMostHeaderBytes = 100'000'000;
inline constexpr size_t kMostDimensions = 8;

/// What the header says of one tensor; its bytes are [begin, end) of the data section.
struct Entry {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

struct Header {
  std::vector<Entry> entries;  ///< in the order of their data
  std::map<std::string, std::string> metadata;
};

/// Parses and checks a header that comes before `data_bytes` bytes of data. Throws Error(kFailure),
/// its message opened by `source`.
Header parse_header(std::string_view text, uint64_t data_bytes, const std::string& source);

/// Gives the entries their places (wide types first, so that each tensor is aligned to its own
/// type), sorts them accordingly and writes the header, padded to a multiple of 8 bytes. Throws
/// Error(kFailure) for what the format can't hold.
std::string format_header(Header& header, const std::string& source);

}  // namespace guidegen::safetensors
