#pragma once

#include <cstdint>
#include <vector>

#include "nn/group_norm_layout.hpp"

namespace guidegen::group_norm {

/// How the values of an operand are cut into segments: pieces of one sample, or of one channel of
/// it, that one task handles. The cut depends on the shape alone, never on the number of threads.
class Segments {
 public:
  explicit Segments(const Dense& x);

  int64_t count() const { return rows_ * per_row_; }
  /// Length of the patterns (nn/group_norm_kernels.hpp) that a segment takes.
  int64_t period() const { return period_; }
  /// Channels that a segment holds: all, or 1.
  int64_t channels() const { return channels_last_ ? channels_ : 1; }

  struct Place {
    int64_t first;    ///< index of its first value in memory
    int64_t count;    ///< values
    int64_t sample;   ///< b
    int64_t channel;  ///< of its first value
  };
  Place operator[](int64_t index) const;

  /// Repeats values[b * C + c] along `pattern`.
  void spread(const Place& place, const std::vector<float>& values, float* pattern) const;
  /// Adds the places of `pattern` up by channel: out[0 ... channels()).
  void gather(const Place& place, const float* pattern, double* out) const;
  /// Voxels of a channel that a segment holds.
  int64_t voxels(const Place& place) const { return place.count / channels(); }

 private:
  bool channels_last_;
  int64_t channels_;
  int64_t rows_;     // stretches of memory that are cut: samples, or channels of samples
  int64_t length_;   // values in one
  int64_t step_;     // values in a segment; the last one of a row may have fewer
  int64_t per_row_;  // segments in a row
  int64_t period_;
};

}  // namespace guidegen::group_norm
