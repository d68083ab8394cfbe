#include "diffusion/categorical_blocks.hpp"

#include <algorithm>

#include "diffusion/categorical_checks.hpp"
#include "diffusion/categorical_rows.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen::categorical {

namespace {

template <typename From, typename To>
void convert(const From* __restrict from, To* __restrict to, int64_t count) {
  for (int64_t v = 0; v < count; ++v) to[v] = static_cast<To>(from[v]);
}

/// Calls body(first value of the block in memory, its piece) with the type of `values`.
template <typename Body>
void with_piece(const at::Tensor& values, const Blocks& blocks, const Block& block,
                const Body& body) {
  const bool last = is_channels_last(values);
  const Piece piece{blocks.labels, block.voxels, last ? 1 : blocks.voxels, last};
  const int64_t first =
      block.sample * blocks.labels * blocks.voxels + block.first * (last ? blocks.labels : 1);
  switch (values.scalar_type()) {
    case at::kBFloat16:
      return body(values.mutable_data_ptr<c10::BFloat16>() + first, piece);
    case at::kHalf:
      return body(values.mutable_data_ptr<c10::Half>() + first, piece);
    default:
      return body(values.mutable_data_ptr<float>() + first, piece);
  }
}

}  // namespace

void read_rows(const at::Tensor& values, const Blocks& blocks, const Block& block, float* rows) {
  with_piece(values, blocks, block, [&]<typename Scalar>(const Scalar* from, const Piece& piece) {
    read_piece(from, piece, rows);
  });
}

void write_rows(const float* rows, const Blocks& blocks, const Block& block,
                const at::Tensor& values) {
  with_piece(values, blocks, block, [&]<typename Scalar>(Scalar* to, const Piece& piece) {
    write_piece(rows, piece, to);
  });
}

void read_labels(const at::Tensor& labels, const char* name, const Blocks& blocks,
                 const Block& block, int32_t* out) {
  const int64_t offset = block.offset(blocks);
  if (labels.scalar_type() == at::kByte) {
    convert(labels.const_data_ptr<uint8_t>() + offset, out, block.voxels);
  } else {
    convert(labels.const_data_ptr<uint16_t>() + offset, out, block.voxels);
  }
  const int32_t largest = *std::max_element(out, out + block.voxels);
  if (largest >= blocks.labels) {
    throw_failure("categorical diffusion: ", name, " holds label ", largest, ", expected 0 to ",
                  blocks.labels - 1);
  }
}

void write_labels(const int32_t* drawn, const Blocks& blocks, const Block& block,
                  const at::Tensor& labels) {
  const int64_t offset = block.offset(blocks);
  if (labels.scalar_type() == at::kByte) {
    convert(drawn, labels.mutable_data_ptr<uint8_t>() + offset, block.voxels);
  } else {
    convert(drawn, labels.mutable_data_ptr<uint16_t>() + offset, block.voxels);
  }
}

}  // namespace guidegen::categorical
