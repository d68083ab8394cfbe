#include <cmath>
#include <numbers>

#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/evaluate/anatomy.hpp"
#include "guidegen/volume/all_pieces.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

struct Sums {
  int64_t voxels = 0;
  int64_t largest = 0;  ///< voxels of the largest piece
  double area_mm2 = 0;
  Vec3 index{};
};

/// Adds, for every voxel, its place and those of its faces that lie towards another label or the
/// outside, label by label.
std::vector<Sums> sum_voxels(const Pieces& pieces, const ImageGeometry& geometry, int labels) {
  std::vector<Sums> sums(static_cast<size_t>(labels));
  const auto& size = geometry.size;
  const auto& spacing = geometry.spacing;
  const std::array<int64_t, 3> stride = {1, size[0], size[0] * size[1]};
  const Vec3 face = {spacing[1] * spacing[2], spacing[0] * spacing[2], spacing[0] * spacing[1]};
  const auto label_at = [&](int64_t at) {
    return pieces.label[static_cast<size_t>(pieces.ids[static_cast<size_t>(at)])];
  };
  std::array<int64_t, 3> index{};
  for (int64_t at = 0; at < geometry.voxels(); ++at) {
    index = {at % size[0], at / size[0] % size[1], at / stride[2]};
    const int64_t label = label_at(at);
    Sums& own = sums[static_cast<size_t>(label)];
    ++own.voxels;
    for (size_t axis = 0; axis < 3; ++axis) {
      own.index[axis] += static_cast<double>(index[axis]);
      if (index[axis] == 0 || label_at(at - stride[axis]) != label) own.area_mm2 += face[axis];
      if (index[axis] == size[axis] - 1 || label_at(at + stride[axis]) != label) {
        own.area_mm2 += face[axis];
      }
    }
  }
  for (size_t piece = 0; piece < pieces.label.size(); ++piece) {
    Sums& own = sums[static_cast<size_t>(pieces.label[piece])];
    own.largest = std::max(own.largest, pieces.voxels[piece]);
  }
  return sums;
}

OrganMeasure measure_of(const Sums& sums, const ImageGeometry& geometry) {
  OrganMeasure measure;
  const auto voxels = static_cast<double>(sums.voxels);
  measure.voxels = sums.voxels;
  measure.volume_ml = voxels * geometry.voxel_ml();
  measure.largest_share = static_cast<double>(sums.largest) / voxels;
  const double volume_mm3 = measure.volume_ml * 1000;
  const double ball = std::cbrt(36 * std::numbers::pi * volume_mm3 * volume_mm3);
  measure.surface_ratio = sums.area_mm2 / ball;
  Vec3 center = sums.index;
  for (double& coordinate : center) coordinate /= voxels;
  measure.centroid_mm = geometry.to_world(center);
  return measure;
}

}  // namespace

MaskMeasure measure_anatomy(const Volume& mask, const Vocabulary& vocabulary) {
  const Pieces pieces = find_all_pieces(mask);
  for (const int64_t label : pieces.label) {
    if (label >= vocabulary.size()) {
      throw_failure("mask: label ", label, ", the vocabulary ", vocabulary.name(), " has ",
                    vocabulary.size(), " labels");
    }
  }
  MaskMeasure measure;
  measure.voxel_ml = mask.geometry.voxel_ml();
  const std::vector<Sums> sums = sum_voxels(pieces, mask.geometry, vocabulary.size());
  for (const LabelInfo& label : vocabulary.labels()) {
    const bool organ = label.id != vocabulary.background() && label.id != vocabulary.body() &&
                       label.id != vocabulary.tumor();
    const Sums& own = sums[static_cast<size_t>(label.id)];
    if (organ && own.voxels > 0) measure.organs[label.name] = measure_of(own, mask.geometry);
  }
  return measure;
}

std::vector<MaskMeasure> measure_masks(const std::filesystem::path& root,
                                       const Vocabulary& vocabulary,
                                       const std::function<void(int64_t, int64_t)>& on_case) {
  const std::vector<std::string> ids = complete_cases(root, /*with_ct=*/false);
  if (ids.empty()) {
    throw_usage(root.string(),
                ": no case in it, expected folders with prompt.json and mask.nii.gz");
  }
  std::vector<MaskMeasure> masks;
  for (const std::string& id : ids) {
    throw_if_stopped();
    masks.push_back(
        measure_anatomy(read_mask(root / id / "mask.nii.gz", vocabulary.size()), vocabulary));
    if (on_case) on_case(static_cast<int64_t>(masks.size()), static_cast<int64_t>(ids.size()));
  }
  return masks;
}

}  // namespace guidegen
