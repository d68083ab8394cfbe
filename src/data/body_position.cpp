#include "guidegen/data/body_position.hpp"

#include <ATen/ATen.h>

#include <vector>

#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

/// Height of the middle of an organ above that of the liver in mm, in a supine adult. Means over
/// the phantoms of this program, whose layout follows anatomy atlases; between patients these
/// organs vary by 5 to 17 mm.
struct Landmark {
  const char* label;
  double height_mm;
};
constexpr Landmark kLandmarks[] = {
    {"liver", 0},
    {"spleen", 5},
    {"kidney_right", -40},
    {"kidney_left", -30},
    {"gallbladder", -30},
    {"pancreas", -30},
    {"adrenal_right", 5},
    {"adrenal_left", 5},
    {"lung_upper_left", 125},
    {"lung_lower_left", 65},
    {"lung_upper_right", 150},
    {"lung_middle_right", 80},
    {"lung_lower_right", 70},
    {"heart", 90},
    {"small_bowel", -105},
    {"bladder", -180},
};

constexpr int64_t kEnoughVoxels = 8;  // of those looked at

/// What the slices of a mask say of one label.
struct Seen {
  int64_t voxels = 0;
  double center = 0;  // mean slice
  bool cut = false;   // by the first or last slice
};

Seen look(const at::Tensor& mask, int64_t label) {
  const auto counts = voxels_of(mask, label).flatten(1).sum(1).to(at::kDouble);
  const auto* count = counts.const_data_ptr<double>();
  const int64_t slices = counts.size(0);
  Seen seen;
  double moment = 0;
  for (int64_t z = 0; z < slices; ++z) {
    seen.voxels += static_cast<int64_t>(count[z]);
    moment += count[z] * static_cast<double>(z);
  }
  if (seen.voxels > 0) seen.center = moment / static_cast<double>(seen.voxels);
  seen.cut = count[0] > 0 || count[slices - 1] > 0;
  return seen;
}

}  // namespace

std::optional<BodyPosition> body_position(const Volume& mask, const Vocabulary& vocabulary) {
  // Every voxel of a fine image would tell no more.
  constexpr int64_t kCoarse = 128;
  auto labels = mask.data[0];
  for (const int64_t axis : {1, 2}) {
    labels = labels.slice(axis, 0, labels.size(axis), 1 + labels.size(axis) / kCoarse);
  }
  double whole = 0, cut = 0;
  int64_t wholes = 0, cuts = 0;
  const double spacing = mask.geometry.spacing[2];
  for (const Landmark& landmark : kLandmarks) {
    const auto id = vocabulary.find(landmark.label);
    if (!id) continue;
    const Seen seen = look(labels, *id);
    if (seen.voxels < kEnoughVoxels) continue;
    // Height of the image's lower border that this organ speaks for.
    const double bottom = landmark.height_mm - (seen.center + 0.5) * spacing;
    (seen.cut ? cut : whole) += bottom;
    ++(seen.cut ? cuts : wholes);
  }
  if (wholes + cuts == 0) return std::nullopt;
  const double bottom =
      wholes > 0 ? whole / static_cast<double>(wholes) : cut / static_cast<double>(cuts);
  return BodyPosition{bottom, bottom + spacing * static_cast<double>(mask.geometry.size[2])};
}

}  // namespace guidegen
