#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace guidegen {

/// Masks hold one label a voxel as uint8 (vocabularies of up to 256 labels) or uint16 (up to
/// 65535). LibTorch stores, slices, pads, stacks, copies, compares for equality and converts uint16
/// on the CPU, but has no minimum, maximum, order, where, masked_select, masked_fill, bincount,
/// nonzero or arithmetic for it; what the program needs of those is here.

/// at::kByte up to 256 labels, at::kUInt16 above.
at::ScalarType label_type(int64_t labels);

struct LabelRange {
  int64_t smallest = 0;
  int64_t largest = 0;
};
/// Smallest and largest label of a mask of any shape and integer type; {0, 0} of an empty one.
LabelRange label_range(const at::Tensor& mask);

/// Voxels that hold `label`, bool, of the mask's shape. Unlike eq(), which compares modulo the
/// type's range, it finds no 300 in a uint8 mask that holds 44.
at::Tensor voxels_of(const at::Tensor& mask, int64_t label);

/// Voxels of each label, int64 [max(labels, largest label + 1)].
at::Tensor count_labels(const at::Tensor& mask, int64_t labels);

/// The mask in a type that all operators know: int32 in place of uint16, else the mask itself.
at::Tensor wide_labels(const at::Tensor& mask);

/// Gives `label` to the voxels of a uint8 or uint16 mask where `where` (bool, same shape) is true.
void fill_label_(at::Tensor& mask, const at::Tensor& where, int64_t label);

}  // namespace guidegen
