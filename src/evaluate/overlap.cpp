#include "guidegen/evaluate/overlap.hpp"

#include <limits>
#include <vector>

#include "evaluate/distance_transform.hpp"
#include "evaluate/region_sums.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/evaluate/bootstrap.hpp"

namespace guidegen {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The part of a volume that holds all voxels of `where`, which must not be empty, and one more on
/// each side, outside the volume too.
at::Tensor cropped_around(const at::Tensor& image, const at::Tensor& where) {
  at::Tensor crop = image;
  for (int64_t axis = 0; axis < 3; ++axis) {
    const std::vector<int64_t> others = {axis == 0 ? 1 : 0, axis == 2 ? 1 : 2};
    const at::Tensor places = where.sum(others).nonzero();
    const auto first = places[0].item<int64_t>();
    crop = crop.narrow(axis, first, places[-1].item<int64_t>() - first + 1);
  }
  return at::constant_pad_nd(crop, {1, 1, 1, 1, 1, 1}, 0);
}

/// From the surface voxels `from` to the nearest of `to`.
std::vector<double> distances(const at::Tensor& from, const at::Tensor& to, const Vec3& spacing) {
  const at::Tensor values = distance_to(to, spacing).masked_select(from);
  const double* data = values.const_data_ptr<double>();
  return {data, data + values.numel()};
}

}  // namespace

Overlap overlap_of(const at::Tensor& wanted, const at::Tensor& found, const Vec3& spacing_mm,
                   double tolerance_mm) {
  if (wanted.sizes() != found.sizes()) {
    throw_failure("overlap: masks of shapes ", wanted.sizes(), " and ", found.sizes(),
                  ", expected equal ones");
  }
  Overlap out{wanted.sum().item<int64_t>(), found.sum().item<int64_t>(), kNaN, kNaN, kNaN};
  const int64_t sum = out.wanted_voxels + out.found_voxels;
  if (sum == 0) return out;
  const auto common = wanted.logical_and(found).sum().item<int64_t>();
  out.dice = 2 * static_cast<double>(common) / static_cast<double>(sum);
  out.surface_dice = 0;
  if (out.wanted_voxels == 0 || out.found_voxels == 0) return out;
  const at::Tensor either = wanted.logical_or(found);
  const at::Tensor a = cropped_around(wanted, either);
  const at::Tensor b = cropped_around(found, either);
  const at::Tensor surface_a = a.logical_and(beside_another(a));
  const at::Tensor surface_b = b.logical_and(beside_another(b));
  const std::vector<double> there = distances(surface_a, surface_b, spacing_mm);
  const std::vector<double> back = distances(surface_b, surface_a, spacing_mm);
  int64_t near = 0;
  for (const std::vector<double>* list : {&there, &back}) {
    for (const double distance : *list) near += distance <= tolerance_mm + 1e-6 ? 1 : 0;
  }
  out.surface_dice = static_cast<double>(near) / static_cast<double>(there.size() + back.size());
  out.hd95_mm = std::max(quantile(there, 0.95), quantile(back, 0.95));
  return out;
}

}  // namespace guidegen
