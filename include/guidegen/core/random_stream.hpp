#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace guidegen {

/// One block of Philox4x32-10: four words from a 128-bit counter and a 64-bit key.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011). A stream depends on (seed, case id, purpose) alone, never on what else runs,
/// so a case comes out the same in any batch, on any rank, in any order.
class RandomStream {
 public:
  /// `purpose` names the use ("mask/noise"); `case_id` the case. The key is the first 64 bits of
  /// SHA-256 over the three; the counter starts at 0.
  RandomStream(uint64_t seed, std::string_view case_id, std::string_view purpose);

  uint32_t next_u32();
  uint64_t next_u64();
  double uniform();  ///< in [0,1), 53 bits
  double uniform(double low, double high);
  double normal();  ///< standard normal, Box-Muller
  double normal(double mean, double deviation);
  int64_t integer(int64_t count);  ///< 0 … count-1, unbiased; count >= 1
  /// Index drawn in proportion to non-negative `weights`; their sum must be positive.
  int64_t choice(const std::vector<double>& weights);
  bool flip(double probability);

  /// Fills many values at once: uniforms in [0,1) of 24 bits, or standard normals.
  void fill_uniform(float* out, int64_t count);
  void fill_normal(float* out, int64_t count);

  /// Position in the stream, for checkpoints: numbers drawn after `seek(position())` repeat.
  struct Position {
    uint64_t block = 0;  ///< blocks of four 32-bit words begun so far
    uint32_t word = 4;   ///< next unread word of the current block; 4: none left
  };
  Position position() const;
  void seek(const Position& position);

 private:
  void refill();
  std::array<uint32_t, 2> key_{};
  uint64_t block_ = 0;
  std::array<uint32_t, 4> words_{};
  uint32_t word_ = 4;
};

}  // namespace guidegen
