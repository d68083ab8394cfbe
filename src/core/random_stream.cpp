#include "guidegen/core/random_stream.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"

namespace guidegen {
namespace {

// 2^-24 and 2^-53: the spacing of float and double in [0.5, 1), so that scaled integers are exact.
constexpr float kFloatUnit = 0x1p-24F;
constexpr double kDoubleUnit = 0x1p-53;

void append_u64(std::string& out, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>((value >> shift) & 0xFF);
}

// Lengths come before the texts, so that ("ab", "c") and ("a", "bc") are different streams.
std::array<uint32_t, 2> derive_key(uint64_t seed, std::string_view case_id,
                                   std::string_view purpose) {
  std::string bytes;
  append_u64(bytes, seed);
  append_u64(bytes, case_id.size());
  bytes += case_id;
  append_u64(bytes, purpose.size());
  bytes += purpose;
  const std::string hex = sha256_hex(bytes);
  return {static_cast<uint32_t>(std::stoul(hex.substr(0, 8), nullptr, 16)),
          static_cast<uint32_t>(std::stoul(hex.substr(8, 8), nullptr, 16))};
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;  // golden ratio
  constexpr uint32_t kWeyl1 = 0xBB67AE85;  // sqrt(3) - 1
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomStream::RandomStream(uint64_t seed, std::string_view case_id, std::string_view purpose)
    : key_(derive_key(seed, case_id, purpose)) {}

void RandomStream::refill() {
  words_ =
      philox4x32({static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32), 0, 0}, key_);
  ++block_;
  word_ = 0;
}

uint32_t RandomStream::next_u32() {
  if (word_ >= 4) refill();
  return words_[word_++];
}

uint64_t RandomStream::next_u64() {
  const uint64_t low = next_u32();
  return low | (uint64_t{next_u32()} << 32);
}

double RandomStream::uniform() { return static_cast<double>(next_u64() >> 11) * kDoubleUnit; }

double RandomStream::uniform(double low, double high) { return low + (high - low) * uniform(); }

double RandomStream::normal() {
  // The sine half of the pair is dropped: a kept one would be state that Position does not hold.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double RandomStream::normal(double mean, double deviation) { return mean + deviation * normal(); }

int64_t RandomStream::integer(int64_t count) {
  if (count < 1) throw_failure("random integer below ", count, ", expected a count of at least 1");
  const uint64_t range = static_cast<uint64_t>(count);
  // Of the 2^64 words the first (2^64 mod range) are refused: the rest divide evenly.
  const uint64_t refused = (0 - range) % range;
  uint64_t word = next_u64();
  while (word < refused) word = next_u64();
  return static_cast<int64_t>(word % range);
}

int64_t RandomStream::choice(const std::vector<double>& weights) {
  double sum = 0;
  for (const double weight : weights) {
    if (!(weight >= 0) || !std::isfinite(weight)) {
      throw_failure("random choice with weight ", weight, ", expected finite weights >= 0");
    }
    sum += weight;
  }
  if (!(sum > 0)) throw_failure("random choice without a positive weight");
  double rest = uniform() * sum;
  int64_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = static_cast<int64_t>(i);
    rest -= weights[i];
    if (rest < 0) break;
  }
  return last;
}

bool RandomStream::flip(double probability) { return uniform() < probability; }

void RandomStream::fill_uniform(float* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(next_u32() >> 8) * kFloatUnit;
}

void RandomStream::fill_normal(float* out, int64_t count) {
  for (int64_t i = 0; i < count; i += 2) {
    // 32-bit uniforms, the radius from (0, 1]: the largest value is 6.66 standard deviations.
    const double u = (static_cast<double>(next_u32()) + 1.0) * 0x1p-32;
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(next_u32()) * 0x1p-32;
    const double radius = std::sqrt(-2.0 * std::log(u));
    out[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < count) out[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

RandomStream::Position RandomStream::position() const { return {block_, word_}; }

void RandomStream::seek(const Position& position) {
  if (position.word > 4 || (position.word < 4 && position.block == 0)) {
    throw_failure("random stream position ", position.block, ":", position.word, " does not exist");
  }
  block_ = position.block;
  word_ = 4;
  if (position.word < 4) {
    // `block` counts blocks begun; a half-read one is the block before it.
    --block_;
    refill();
    word_ = position.word;
  }
}

}  // namespace guidegen
