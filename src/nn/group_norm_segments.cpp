#include "nn/group_norm_segments.hpp"

#include <algorithm>
#include <numeric>

#include "nn/group_norm_kernels.hpp"

namespace guidegen::group_norm {
namespace {

constexpr int64_t kSegment = 16384;  // values: 64 KiB of floats, which stay in the second cache
constexpr int64_t kVector = 16;      // floats of the widest vector
// Values of a pattern: of all channels, short enough to stay in the first cache five times over; of
// one channel, long enough for full vectors but quickly filled and added up.
constexpr int64_t kPatternOfAll = 256;
constexpr int64_t kPatternOfOne = 64;

int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

Segments::Segments(const Dense& x)
    : channels_last_(x.channels_last),
      channels_(x.channels),
      rows_(x.channels_last ? x.batch : x.batch * x.channels),
      length_(x.channels_last ? x.voxels * x.channels : x.voxels) {
  // Whole voxels, and whole vectors unless the row is shorter.
  const int64_t unit = channels_last_ ? std::lcm(channels_, kVector) : kVector;
  const int64_t wanted = round_up(channels_last_ ? kPatternOfAll : kPatternOfOne, unit);
  period_ = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(length_, 1));
  step_ = std::max(kSegment / period_, int64_t{1}) * period_;
  per_row_ = (length_ + step_ - 1) / step_;
}

Segments::Place Segments::operator[](int64_t index) const {
  const int64_t row = index / per_row_;
  const int64_t first = index % per_row_ * step_;
  return {row * length_ + first, std::min(step_, length_ - first),
          channels_last_ ? row : row / channels_, channels_last_ ? 0 : row % channels_};
}

void Segments::spread(const Place& place, const std::vector<float>& values, float* pattern) const {
  std::copy_n(values.data() + place.sample * channels_ + place.channel, channels(), pattern);
  repeat(pattern, channels(), period_);
}

void Segments::gather(const Place& place, const float* pattern, double* out) const {
  fold(pattern, std::min(period_, place.count), channels(), out);
}

}  // namespace guidegen::group_norm
