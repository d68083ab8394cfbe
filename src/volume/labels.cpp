#include "guidegen/volume/labels.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"

namespace guidegen {

at::ScalarType label_type(int64_t labels) { return labels <= 256 ? at::kByte : at::kUInt16; }

LabelRange label_range(const at::Tensor& mask) {
  if (mask.numel() == 0) return {};
  if (mask.scalar_type() != at::kUInt16) {
    return {mask.min().item<int64_t>(), mask.max().item<int64_t>()};
  }
  const at::Tensor voxels = mask.contiguous();
  const uint16_t* first = voxels.const_data_ptr<uint16_t>();
  // Not minmax_element, which compilers do not vectorize.
  uint16_t smallest = first[0];
  uint16_t largest = first[0];
  for (int64_t i = 1; i < voxels.numel(); ++i) {
    smallest = std::min(smallest, first[i]);
    largest = std::max(largest, first[i]);
  }
  return {smallest, largest};
}

at::Tensor voxels_of(const at::Tensor& mask, int64_t label) {
  const int64_t beyond = mask.scalar_type() == at::kByte     ? 256
                         : mask.scalar_type() == at::kUInt16 ? 65536
                                                             : label + 1;
  if (label < 0 || label >= beyond) return at::zeros(mask.sizes(), at::kBool);
  return mask.eq(label);
}

at::Tensor count_labels(const at::Tensor& mask, int64_t labels) {
  if (mask.scalar_type() != at::kUInt16) return mask.flatten().bincount({}, labels);
  const at::Tensor voxels = mask.contiguous();
  const uint16_t* first = voxels.const_data_ptr<uint16_t>();
  const at::Tensor counts =
      at::zeros({std::max(labels, label_range(voxels).largest + 1)}, at::kLong);
  int64_t* count = counts.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < voxels.numel(); ++i) ++count[first[i]];
  return counts;
}

at::Tensor wide_labels(const at::Tensor& mask) {
  return mask.scalar_type() == at::kUInt16 ? mask.to(at::kInt) : mask;
}

void fill_label_(at::Tensor& mask, const at::Tensor& where, int64_t label) {
  if (label < 0 || label > (mask.scalar_type() == at::kUInt16 ? 65535 : 255)) {
    throw_failure("label ", label, " does not fit a mask of type ", mask.scalar_type());
  }
  if (mask.scalar_type() == at::kUInt16) {
    // int16 has the same bits and the operator.
    mask.view(at::kShort).masked_fill_(where, static_cast<int16_t>(static_cast<uint16_t>(label)));
  } else {
    mask.masked_fill_(where, label);
  }
}

}  // namespace guidegen
