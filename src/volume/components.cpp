#include "guidegen/volume/components.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <itkConnectedComponentImageFilter.h>
#include <itkImage.h>

#include "guidegen/core/error.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

using Flags = itk::Image<uint8_t, 3>;
using Pieces = itk::Image<int32_t, 3>;

/// ITK view of a contiguous uint8 [1,D,H,W] tensor, which must outlive it.
Flags::Pointer as_image(const at::Tensor& flags, const ImageGeometry& geometry) {
  const auto image = Flags::New();
  Flags::SizeType size;
  for (unsigned axis = 0; axis < 3; ++axis) {
    size[axis] = static_cast<itk::SizeValueType>(geometry.size[axis]);
  }
  image->SetRegions(size);
  image->GetPixelContainer()->SetImportPointer(
      flags.data_ptr<uint8_t>(), static_cast<itk::SizeValueType>(geometry.voxels()), false);
  return image;
}

Pieces::Pointer label_pieces(const Flags::Pointer& flags) {
  const auto filter = itk::ConnectedComponentImageFilter<Flags, Pieces>::New();
  filter->SetInput(flags);
  filter->SetFullyConnected(true);
  // One thread: the caller may be one of many, and the numbering must not depend on the machine.
  filter->SetNumberOfWorkUnits(1);
  try {
    filter->Update();
  } catch (const itk::ExceptionObject& error) {
    throw_failure("connected components: ", error.GetDescription());
  }
  return filter->GetOutput();
}

void add_voxel(Component& piece, const std::array<int64_t, 3>& index) {
  for (size_t axis = 0; axis < 3; ++axis) {
    int64_t& low = piece.bounds[2 * axis];
    int64_t& high = piece.bounds[2 * axis + 1];
    low = piece.voxels == 0 ? index[axis] : std::min(low, index[axis]);
    high = piece.voxels == 0 ? index[axis] : std::max(high, index[axis]);
    piece.centroid_index[axis] += static_cast<double>(index[axis]);
  }
  ++piece.voxels;
}

/// Measures the pieces in the order of their first voxels; `numbers` is renumbered to that order.
std::vector<Component> measure(int32_t* numbers, const ImageGeometry& geometry) {
  std::vector<Component> pieces;
  std::vector<int32_t> place;  // ITK's number -> 1 + index into pieces, or 0
  const auto& size = geometry.size;
  for (int64_t z = 0; z < size[2]; ++z) {
    for (int64_t y = 0; y < size[1]; ++y) {
      for (int64_t x = 0; x < size[0]; ++x, ++numbers) {
        if (*numbers == 0) continue;
        const auto number = static_cast<size_t>(*numbers);
        if (number >= place.size()) place.resize(number + 1, 0);
        if (place[number] == 0) {
          pieces.emplace_back();
          place[number] = static_cast<int32_t>(pieces.size());
        }
        *numbers = place[number];
        add_voxel(pieces[static_cast<size_t>(*numbers - 1)], {x, y, z});
      }
    }
  }
  for (Component& piece : pieces) {
    for (double& value : piece.centroid_index) value /= static_cast<double>(piece.voxels);
    piece.centroid_mm = geometry.to_world(piece.centroid_index);
    piece.volume_ml = static_cast<double>(piece.voxels) * geometry.voxel_ml();
    // V = pi d^3 / 6, with 1 ml = 1000 mm^3.
    piece.diameter_mm = std::cbrt(6000.0 * piece.volume_ml / std::numbers::pi);
  }
  return pieces;
}

}  // namespace

std::vector<Component> find_components(const Volume& mask, int label, at::Tensor* ids) {
  check_volume(mask, "connected components");
  if (mask.data.size(0) != 1) {
    throw_failure("connected components: expected a mask of 1 channel, got ", mask.data.size(0));
  }
  const at::Tensor flags = voxels_of(mask.data, label).to(at::kByte).contiguous();
  if (!flags.any().item<bool>()) {
    if (ids) *ids = at::zeros(mask.data.sizes().slice(1), at::kInt);
    return {};
  }
  const Pieces::Pointer labelled = label_pieces(as_image(flags, mask.geometry));
  int32_t* numbers = labelled->GetBufferPointer();
  const std::vector<Component> found = measure(numbers, mask.geometry);

  std::vector<size_t> order(found.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return found[a].voxels > found[b].voxels; });
  std::vector<Component> sorted;
  at::Tensor rank = at::zeros({static_cast<int64_t>(found.size()) + 1}, at::kInt);
  for (const size_t index : order) {
    sorted.push_back(found[index]);
    rank[static_cast<int64_t>(index) + 1] = static_cast<int64_t>(sorted.size());
  }
  if (ids) {
    const at::Tensor numbered = at::from_blob(numbers, mask.data.sizes().slice(1), at::kInt);
    *ids = rank.index_select(0, numbered.flatten()).view(numbered.sizes());
  }
  return sorted;
}

}  // namespace guidegen
