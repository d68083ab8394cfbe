#include "diffusion/categorical_blocks.hpp"

#include <algorithm>

#include "diffusion/categorical_checks.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen::categorical {

namespace {

/// Voxels that one transposition handles: a cache line of floats of each label.
constexpr int64_t kTile = 16;

/// Copies between rows [K, kBlock] and memory [voxels, K] tile by tile; position(c, v) gives the
/// places of label c of voxel v in `from` and `to`.
template <typename From, typename To, typename Position>
void transpose(const From* __restrict from, To* __restrict to, const Blocks& blocks,
               const Block& block, const Position& position) {
  for (int64_t tile = 0; tile < block.voxels; tile += kTile) {
    const int64_t end = std::min(tile + kTile, block.voxels);
    for (int64_t c = 0; c < blocks.labels; ++c) {
      for (int64_t v = tile; v < end; ++v) {
        const auto [source, target] = position(c, v);
        to[target] = static_cast<To>(from[source]);
      }
    }
  }
}

template <typename From, typename To>
void convert(const From* __restrict from, To* __restrict to, int64_t count) {
  for (int64_t v = 0; v < count; ++v) to[v] = static_cast<To>(from[v]);
}

int64_t first_value(const at::Tensor& values, const Blocks& blocks, const Block& block) {
  const int64_t stride = is_channels_last(values) ? blocks.labels : 1;
  return block.sample * blocks.labels * blocks.voxels + block.first * stride;
}

template <typename Scalar>
void read_typed(const at::Tensor& values, const Blocks& blocks, const Block& block, float* rows) {
  const Scalar* from = values.const_data_ptr<Scalar>() + first_value(values, blocks, block);
  if (is_channels_last(values)) {
    transpose(from, rows, blocks, block, [&](int64_t c, int64_t v) {
      return std::pair(v * blocks.labels + c, c * kBlock + v);
    });
    return;
  }
  for (int64_t c = 0; c < blocks.labels; ++c) {
    convert(from + c * blocks.voxels, rows + c * kBlock, block.voxels);
  }
}

template <typename Scalar>
void write_typed(const float* rows, const Blocks& blocks, const Block& block,
                 const at::Tensor& values) {
  Scalar* to = values.mutable_data_ptr<Scalar>() + first_value(values, blocks, block);
  if (is_channels_last(values)) {
    transpose(rows, to, blocks, block, [&](int64_t c, int64_t v) {
      return std::pair(c * kBlock + v, v * blocks.labels + c);
    });
    return;
  }
  for (int64_t c = 0; c < blocks.labels; ++c) {
    convert(rows + c * kBlock, to + c * blocks.voxels, block.voxels);
  }
}

}  // namespace

void read_rows(const at::Tensor& values, const Blocks& blocks, const Block& block, float* rows) {
  switch (values.scalar_type()) {
    case at::kBFloat16:
      return read_typed<c10::BFloat16>(values, blocks, block, rows);
    case at::kHalf:
      return read_typed<c10::Half>(values, blocks, block, rows);
    default:
      return read_typed<float>(values, blocks, block, rows);
  }
}

void write_rows(const float* rows, const Blocks& blocks, const Block& block,
                const at::Tensor& values) {
  switch (values.scalar_type()) {
    case at::kBFloat16:
      return write_typed<c10::BFloat16>(rows, blocks, block, values);
    case at::kHalf:
      return write_typed<c10::Half>(rows, blocks, block, values);
    default:
      return write_typed<float>(rows, blocks, block, values);
  }
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
