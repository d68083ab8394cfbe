#pragma once

#include <array>
#include <cstdint>
#include <functional>

namespace guidegen {

struct HdrAutoencoderConfig;

/// What stage II does to a volume.
enum class TiledWork { kEncode, kDecode, kReconstruct };

/// How it is cut up for that.
struct TilePlan {
  std::array<int64_t, 3> tile{};  ///< voxels of the CT along D,H,W, multiples of 4
  /// Whether activations of half resolution are kept between passes. If not they are computed
  /// anew in each of them, by which the time grows.
  bool keeps_half = true;
  int64_t bytes = 0;  ///< estimate of the most that the program holds, itself included
};

/// Bytes that a program with a model has, apart from what the volume takes.
inline constexpr int64_t kProgramBytes = int64_t{512} << 20;
/// Memory where nobody says otherwise.
inline constexpr int64_t kDefaultMemory = int64_t{8} << 30;

/// The fastest plan for a CT of `size` x,y,z voxels that keeps within `memory` bytes (of the GPU,
/// where the network is on one). A function of its arguments alone, so that results repeat. Throws
/// Error(kUsage) that says the least that would do.
TilePlan plan_tiles(const HdrAutoencoderConfig& config, const std::array<int64_t, 3>& size,
                    TiledWork work, int64_t memory = kDefaultMemory);

/// Called after each tile of each pass; may throw.
using TileCallback = std::function<void(int64_t done, int64_t total)>;

}  // namespace guidegen
