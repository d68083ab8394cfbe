#include "guidegen/volume/volume.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

using Axes = std::array<size_t, 3>;

/// For each world axis (R, A, S) the index axis to use: of the six assignments the one whose unit
/// vectors agree best in total. Choosing axis by axis could pick one index axis twice at 45
/// degrees.
Axes closest_axes(const Matrix3& direction) {
  Axes order{0, 1, 2};
  Axes best = order;
  double best_agreement = -1;
  do {
    double agreement = 0;
    for (size_t world = 0; world < 3; ++world)
      agreement += std::abs(direction[world][order[world]]);
    // The margin keeps the first, least permuted assignment when two agree equally well.
    if (agreement > best_agreement + 1e-9) {
      best_agreement = agreement;
      best = order;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

}  // namespace

Volume reorient_ras(const Volume& volume) {
  check_volume(volume, "reorient_ras");
  const ImageGeometry& from = volume.geometry;
  const Axes axes = closest_axes(from.direction);

  Volume result;
  Vec3 first_voxel{};  // index in `from` of the voxel that becomes (0,0,0)
  std::vector<int64_t> flipped;
  for (size_t k = 0; k < 3; ++k) {
    const size_t axis = axes[k];
    const bool flip = from.direction[k][axis] < 0;
    result.geometry.size[k] = from.size[axis];
    result.geometry.spacing[k] = from.spacing[axis];
    for (size_t row = 0; row < 3; ++row) {
      const double cosine = from.direction[row][axis];
      result.geometry.direction[row][k] = flip ? -cosine : cosine;
    }
    if (flip) {
      first_voxel[axis] = static_cast<double>(from.size[axis] - 1);
      flipped.push_back(3 - static_cast<int64_t>(k));
    }
  }
  result.geometry.origin = from.to_world(first_voxel);

  // Tensor dimension of index axis a is 3 - a, because tensors run z, y, x.
  std::vector<int64_t> order{0};
  for (size_t k = 3; k-- > 0;) order.push_back(3 - static_cast<int64_t>(axes[k]));
  result.data = volume.data.permute(order);
  if (!flipped.empty()) result.data = result.data.flip(flipped);
  result.data = result.data.contiguous();
  return result;
}

void check_volume(const Volume& volume, const std::string& what) {
  if (!volume.data.defined() || volume.data.dim() != 4) {
    throw_failure(what, ": expected a volume of shape [C,D,H,W]");
  }
  const auto dhw = to_dhw(volume.geometry.size);
  for (int64_t k = 0; k < 3; ++k) {
    if (volume.data.size(k + 1) == dhw[static_cast<size_t>(k)]) continue;
    throw_failure(what, ": shape ", volume.data.sizes(), " of the data differs from [D,H,W] = [",
                  dhw[0], ", ", dhw[1], ", ", dhw[2], "] of the geometry");
  }
}

}  // namespace guidegen
