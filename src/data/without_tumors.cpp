#include "guidegen/data/without_tumors.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "guidegen/data/tumor_census.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

/// Labels of a volume in memory, and steps to the six neighbors of a voxel.
struct Grid {
  int32_t* labels;
  std::array<int64_t, 3> size;  // D, H, W

  template <typename Visit>
  void neighbors(int64_t voxel, const Visit& visit) const {
    const std::array<int64_t, 3> stride = {size[1] * size[2], size[2], 1};
    int64_t rest = voxel;
    for (size_t axis = 0; axis < 3; ++axis) {
      const int64_t place = rest / stride[axis];
      rest %= stride[axis];
      if (place > 0) visit(labels[voxel - stride[axis]]);
      if (place + 1 < size[axis]) visit(labels[voxel + stride[axis]]);
    }
  }
};

/// The most frequent allowed label around a voxel (the smallest of several), or -1.
template <typename Allowed>
int32_t label_around(const Grid& grid, int64_t voxel, const Allowed& allowed) {
  std::map<int32_t, int> votes;
  grid.neighbors(voxel, [&](int32_t label) {
    if (allowed(label)) ++votes[label];
  });
  const auto best = std::max_element(
      votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == votes.end() ? -1 : best->first;
}

/// Gives the voxels labels from outside, layer by layer; returns those that no allowed label
/// reaches.
template <typename Allowed>
std::vector<int64_t> grow_in(const Grid& grid, std::vector<int64_t> voxels,
                             const Allowed& allowed) {
  while (!voxels.empty()) {
    std::vector<std::pair<int64_t, int32_t>> layer;
    std::vector<int64_t> inner;
    for (const int64_t voxel : voxels) {
      const int32_t label = label_around(grid, voxel, allowed);
      if (label < 0) {
        inner.push_back(voxel);
      } else {
        layer.emplace_back(voxel, label);
      }
    }
    if (layer.empty()) return inner;
    for (const auto& [voxel, label] : layer) grid.labels[voxel] = label;
    voxels = std::move(inner);
  }
  return {};
}

/// Voxels of each piece, by index in the volume.
std::vector<std::vector<int64_t>> voxels_of_pieces(const at::Tensor& ids, size_t pieces) {
  std::vector<std::vector<int64_t>> voxels(pieces);
  const auto* id = ids.const_data_ptr<int32_t>();
  for (int64_t i = 0; i < ids.numel(); ++i) {
    if (id[i] > 0) voxels[static_cast<size_t>(id[i]) - 1].push_back(i);
  }
  return voxels;
}

}  // namespace

Volume without_tumors(const Volume& mask, const Vocabulary& vocabulary) {
  const int tumor = vocabulary.tumor();
  at::Tensor ids;
  const auto pieces = find_components(mask, tumor, &ids);
  if (pieces.empty()) return mask;
  const auto found = find_tumors(mask, vocabulary, 1);  // in the same order
  auto labels = mask.data[0].to(at::kInt).contiguous();
  if (labels.is_same(mask.data[0]) || labels.data_ptr() == mask.data.data_ptr()) {
    labels = labels.clone();
  }
  const Grid grid{labels.data_ptr<int32_t>(), {labels.size(0), labels.size(1), labels.size(2)}};
  auto voxels = voxels_of_pieces(ids, pieces.size());
  for (size_t i = 0; i < voxels.size(); ++i) {
    const auto hosts = i < found.size() && found[i].position
                           ? host_labels_of(*found[i].position, vocabulary)
                           : std::vector<int>();
    auto left = grow_in(grid, std::move(voxels[i]), [&hosts](int32_t label) {
      return std::find(hosts.begin(), hosts.end(), label) != hosts.end();
    });
    left = grow_in(grid, std::move(left), [&](int32_t label) {
      return label != tumor && label != vocabulary.background();
    });
    for (const int64_t voxel : left) grid.labels[voxel] = vocabulary.background();
  }
  return {labels.to(mask.data.scalar_type()).unsqueeze(0), mask.geometry};
}

}  // namespace guidegen
