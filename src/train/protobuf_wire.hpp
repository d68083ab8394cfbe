#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Encoding of protocol buffer messages, as far as telemetry needs it
/// (https://protobuf.dev/programming-guides/encoding): a message is the concatenation of its
/// fields.
namespace guidegen::protobuf {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out += static_cast<char>(value);
}

/// The bytes of an unsigned integer, lowest first.
template <typename Unsigned>
std::string little_endian(Unsigned value) {
  std::string out;
  for (size_t i = 0; i < sizeof(value); ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

inline std::string key(uint32_t field, WireType type) { return varint((field << 3) | type); }

/// int32, int64 and enumerations; negative numbers take ten bytes.
inline std::string integer_field(uint32_t field, int64_t value) {
  return key(field, kVarint) + varint(static_cast<uint64_t>(value));
}

inline std::string double_field(uint32_t field, double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return key(field, kFixed64) + little_endian(bits);
}

inline std::string float_field(uint32_t field, float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return key(field, kFixed32) + little_endian(bits);
}

/// string, bytes and messages.
inline std::string bytes_field(uint32_t field, std::string_view bytes) {
  return (key(field, kBytes) + varint(bytes.size())).append(bytes);
}

}  // namespace guidegen::protobuf
