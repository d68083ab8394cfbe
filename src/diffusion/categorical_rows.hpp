#pragma once

#include <cstdint>

namespace guidegen::categorical {

/// The K values of a piece of a sample: where they lie in memory.
struct Piece {
  int64_t labels;
  int64_t voxels;        ///< of the piece, <= kBlock
  int64_t label_stride;  ///< between labels, or 1 with labels last
  bool labels_last;      ///< all labels of a voxel side by side
};

/// Copies a piece between rows [K, kBlock] of float and `values`, its first value in a tensor of
/// float, c10::BFloat16 or c10::Half.
template <typename Scalar>
void read_piece(const Scalar* values, const Piece& piece, float* rows);
template <typename Scalar>
void write_piece(const float* rows, const Piece& piece, Scalar* values);

}  // namespace guidegen::categorical
