#include "diffusion/categorical_blocks.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"

namespace guidegen::categorical {

namespace {

/// Voxels that one transposition handles: a cache line of floats of each label.
constexpr int64_t kTile = 16;

}  // namespace

void LabelRows::read(const Block& block, float* rows) const {
  const float* __restrict from = first_of(block);
  if (!channels_last_) {
    for (int64_t c = 0; c < blocks_.labels; ++c) {
      std::copy_n(from + c * blocks_.voxels, block.voxels, rows + c * kBlock);
    }
    return;
  }
  for (int64_t tile = 0; tile < block.voxels; tile += kTile) {
    const int64_t end = std::min(tile + kTile, block.voxels);
    for (int64_t c = 0; c < blocks_.labels; ++c) {
      for (int64_t v = tile; v < end; ++v) rows[c * kBlock + v] = from[v * blocks_.labels + c];
    }
  }
}

void LabelRows::write(const Block& block, const float* rows) const {
  float* __restrict to = first_of(block);
  if (!channels_last_) {
    for (int64_t c = 0; c < blocks_.labels; ++c) {
      std::copy_n(rows + c * kBlock, block.voxels, to + c * blocks_.voxels);
    }
    return;
  }
  for (int64_t tile = 0; tile < block.voxels; tile += kTile) {
    const int64_t end = std::min(tile + kTile, block.voxels);
    for (int64_t c = 0; c < blocks_.labels; ++c) {
      for (int64_t v = tile; v < end; ++v) to[v * blocks_.labels + c] = rows[c * kBlock + v];
    }
  }
}

LabelReader::LabelReader(const at::Tensor& labels, const Blocks& blocks, const char* name)
    : labels_(labels.contiguous()), blocks_(blocks), name_(name) {
  if (labels.scalar_type() != at::kByte && labels.scalar_type() != at::kInt) {
    throw_failure("categorical diffusion: ", name, " is ", labels.scalar_type(),
                  ", expected labels as uint8 or int32");
  }
  if (!labels.device().is_cpu()) {
    throw_failure("categorical diffusion: ", name, " is on ", labels.device(),
                  ", expected the CPU");
  }
}

void LabelReader::read(const Block& block, int32_t* out) const {
  const int64_t offset = block.sample * blocks_.voxels + block.first;
  if (labels_.scalar_type() == at::kByte) {
    const uint8_t* from = labels_.const_data_ptr<uint8_t>() + offset;
    std::copy(from, from + block.voxels, out);
  } else {
    const int32_t* from = labels_.const_data_ptr<int32_t>() + offset;
    std::copy(from, from + block.voxels, out);
  }
  // One unsigned maximum checks both ends: negative labels become large.
  uint32_t largest = 0;
  for (int64_t v = 0; v < block.voxels; ++v) {
    largest = std::max(largest, static_cast<uint32_t>(out[v]));
  }
  if (largest >= static_cast<uint32_t>(blocks_.labels)) {
    throw_failure("categorical diffusion: ", name_, " holds label ", static_cast<int32_t>(largest),
                  ", expected 0 to ", blocks_.labels - 1);
  }
}

at::Tensor voxel_values(const at::Tensor& values, const at::Tensor& labels, const char* name) {
  if (values.sizes() != labels.sizes() || values.scalar_type() != at::kFloat) {
    throw_failure("categorical diffusion: ", name, " is ", values.scalar_type(), " ",
                  values.sizes(), ", expected Float ", labels.sizes());
  }
  return values.contiguous();
}

}  // namespace guidegen::categorical
