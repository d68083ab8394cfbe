#include "diffusion/categorical_rows.hpp"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <array>

#include "diffusion/categorical_kernels.hpp"

// Compiled like the kernels (see CMakeLists.txt), so that the conversions vectorise.

namespace guidegen::categorical {
namespace {

/// Voxels that one transposition handles: a cache line of floats of each label.
constexpr int64_t kTile = 16;

template <typename From, typename To>
void convert(const From* __restrict from, To* __restrict to, int64_t count) {
  for (int64_t v = 0; v < count; ++v) to[v] = static_cast<To>(from[v]);
}

/// Calls move(label, first voxel, number of voxels) tile by tile.
template <typename Move>
void by_tiles(const Piece& piece, const Move& move) {
  for (int64_t tile = 0; tile < piece.voxels; tile += kTile) {
    const int64_t count = std::min(kTile, piece.voxels - tile);
    for (int64_t c = 0; c < piece.labels; ++c) move(c, tile, count);
  }
}

}  // namespace

template <typename Scalar>
void read_piece(const Scalar* __restrict values, const Piece& piece, float* __restrict rows) {
  const int64_t labels = piece.labels;
  if (piece.labels_last) {
    by_tiles(piece, [=](int64_t c, int64_t first, int64_t count) {
      const Scalar* __restrict from = values + first * labels + c;
      float* __restrict to = rows + c * kBlock + first;
      for (int64_t v = 0; v < count; ++v) to[v] = static_cast<float>(from[v * labels]);
    });
    return;
  }
  for (int64_t c = 0; c < labels; ++c) {
    convert(values + c * piece.label_stride, rows + c * kBlock, piece.voxels);
  }
}

template <typename Scalar>
void write_piece(const float* __restrict rows, const Piece& piece, Scalar* __restrict values) {
  const int64_t labels = piece.labels;
  if (piece.labels_last) {
    by_tiles(piece, [=](int64_t c, int64_t first, int64_t count) {
      Scalar* __restrict to = values + first * labels + c;
      // Rounding vectorises only when the rounded values go to consecutive places.
      std::array<Scalar, kTile> rounded;
      convert(rows + c * kBlock + first, rounded.data(), count);
      for (int64_t v = 0; v < count; ++v) to[v * labels] = rounded[v];
    });
    return;
  }
  for (int64_t c = 0; c < labels; ++c) {
    convert(rows + c * kBlock, values + c * piece.label_stride, piece.voxels);
  }
}

template void read_piece(const float*, const Piece&, float*);
template void read_piece(const c10::BFloat16*, const Piece&, float*);
template void read_piece(const c10::Half*, const Piece&, float*);
template void write_piece(const float*, const Piece&, float*);
template void write_piece(const float*, const Piece&, c10::BFloat16*);
template void write_piece(const float*, const Piece&, c10::Half*);

}  // namespace guidegen::categorical
