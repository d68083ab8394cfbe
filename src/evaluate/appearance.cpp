#include "guidegen/evaluate/appearance.hpp"

#include <algorithm>
#include <limits>

#include "evaluate/distance_transform.hpp"
#include "evaluate/region_sums.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/evaluate/bootstrap.hpp"
#include "guidegen/evaluate/noise_power.hpp"
#include "guidegen/volume/components.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kLeastInside = 8;
constexpr int64_t kLeastShell = 4;
constexpr double kShellMm = 12;

double median_of(const at::Tensor& values) {
  const double* data = values.const_data_ptr<double>();
  return quantile({data, data + values.numel()}, 0.5);
}

NoiseSpectrum noise_of(const at::Tensor& hu, const at::Tensor& inside, const Vec3& spacing) {
  const std::array<double, 2> pixel = {spacing[0], spacing[1]};
  const int64_t side = noise_patch_side(pixel);
  NoisePower power(pixel, side);
  const at::Tensor in_slice = inside.flatten(1).sum(1);
  for (int64_t z = 0; z < hu.size(0); ++z) {
    if (in_slice[z].item<int64_t>() < side * side) continue;
    power.add(noise_patches(hu[z], inside[z], side));
  }
  return power.spectrum();
}

/// The same image seen in three ways, float64 [D,H,W].
struct Images {
  at::Tensor hu;
  at::Tensor gradient;   ///< its length, HU/mm
  at::Tensor on_border;  ///< bool: of any label
};

OrganAppearance measure_organ(const Images& images, const at::Tensor& where, const Vec3& spacing) {
  const at::Tensor inside = where.logical_and(images.on_border.logical_not());
  OrganAppearance organ;
  organ.voxels = where.sum().item<int64_t>();
  organ.inside_voxels = inside.sum().item<int64_t>();
  organ.median_hu = median_of(images.hu.masked_select(where));
  organ.deviation_hu = organ.gradient_hu_per_mm = kNaN;
  organ.noise_variance_hu2 = organ.noise_frequency_per_mm = kNaN;
  if (organ.inside_voxels < kLeastInside) return organ;
  organ.deviation_hu = images.hu.masked_select(inside).std(/*unbiased=*/false).item<double>();
  organ.gradient_hu_per_mm = images.gradient.masked_select(inside).mean().item<double>();
  const NoiseSpectrum noise = noise_of(images.hu, inside, spacing);
  organ.noise_variance_hu2 = noise.variance;
  organ.noise_frequency_per_mm = noise.mean_frequency_per_mm;
  return organ;
}

/// Part of [D,H,W] around a component, `reach` voxels x,y,z wider on every side.
at::Tensor around(const at::Tensor& image, const Component& piece,
                  const std::array<int64_t, 3>& reach) {
  at::Tensor crop = image;
  for (size_t k = 0; k < 3; ++k) {
    const auto axis = 2 - static_cast<int64_t>(k);
    const int64_t low = std::max<int64_t>(0, piece.bounds[2 * k] - reach[k]);
    crop = crop.slice(axis, low, piece.bounds[2 * k + 1] + reach[k] + 1);
  }
  return crop;
}

std::vector<int> host_labels(TumorOrgan organ, const Vocabulary& vocabulary) {
  std::vector<int> labels;
  for (const TumorPosition position : positions_of(organ)) {
    for (const int label : host_labels_of(position, vocabulary)) labels.push_back(label);
  }
  return labels;
}

TumorAppearance measure_tumor(const FoundTumor& tumor, const at::Tensor& where,
                              const at::Tensor& hu, const Volume& mask,
                              const Vocabulary& vocabulary) {
  std::array<int64_t, 3> reach{};
  for (size_t k = 0; k < 3; ++k) {
    reach[k] = static_cast<int64_t>(kShellMm / mask.geometry.spacing[k]) + 1;
  }
  const auto crop = [&](const at::Tensor& image) { return around(image, tumor.component, reach); };
  const at::Tensor inside = crop(where).contiguous();
  const at::Tensor labels = crop(mask.data[0]);
  at::Tensor host = at::zeros(labels.sizes(), at::kBool);
  for (const int label : host_labels(*tumor.organ, vocabulary)) {
    host.logical_or_(voxels_of(labels, label));
  }
  const at::Tensor shell =
      host.logical_and(distance_to(inside, mask.geometry.spacing).le(kShellMm + 1e-6));
  TumorAppearance out;
  out.organ = *tumor.organ;
  out.diameter_mm = tumor.component.diameter_mm;
  out.shell_voxels = shell.sum().item<int64_t>();
  out.inside_hu = crop(hu).masked_select(inside).mean().item<double>();
  out.shell_hu = crop(hu).masked_select(shell).mean().item<double>();
  out.contrast_hu = out.shell_voxels < kLeastShell ? kNaN : out.inside_hu - out.shell_hu;
  return out;
}

}  // namespace

CaseAppearance measure_appearance(const Volume& ct, const Volume& mask, const Prompt& prompt,
                                  const Vocabulary& vocabulary) {
  if (!same_geometry(ct.geometry, mask.geometry)) {
    throw_failure("case ", prompt.id, ": the grids of CT and mask differ, expected one grid");
  }
  const Vec3& spacing = mask.geometry.spacing;
  const at::Tensor labels = wide_labels(mask.data[0]);
  const at::Tensor hu = ct.data[0].to(at::kDouble);
  const Images images{hu, gradient_magnitude(hu, {spacing[2], spacing[1], spacing[0]}),
                      beside_another(labels)};
  CaseAppearance out;
  out.id = prompt.id;
  out.phase = prompt.contrast;
  const at::Tensor counts = count_labels(mask.data[0], vocabulary.size());
  for (const LabelInfo& label : vocabulary.labels()) {
    if (label.id == vocabulary.background() || counts[label.id].item<int64_t>() == 0) continue;
    out.organs[label.name] = measure_organ(images, labels.eq(label.id), spacing);
  }
  at::Tensor ids;
  find_components(mask, vocabulary.tumor(), &ids);
  const std::vector<FoundTumor> tumors = find_tumors(mask, vocabulary);
  // Components come largest first, so those that are no tumors for being too small come last.
  for (size_t i = 0; i < tumors.size(); ++i) {
    if (!tumors[i].organ) continue;
    const at::Tensor where = ids.eq(static_cast<int64_t>(i) + 1);
    out.tumors.push_back(measure_tumor(tumors[i], where, hu, mask, vocabulary));
  }
  return out;
}

}  // namespace guidegen
