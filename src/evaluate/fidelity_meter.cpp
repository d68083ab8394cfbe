#include "evaluate/fidelity_meter.hpp"

#include <algorithm>
#include <cmath>

#include "guidegen/core/stop_signal.hpp"
#include "guidegen/evaluate/structural_similarity.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/tissue_classes.hpp"

namespace guidegen {
namespace {

std::vector<FidelityWindow> windows_of(const std::vector<Exposure>& exposures) {
  std::vector<FidelityWindow> windows;
  for (const Exposure& exposure : exposures) {
    windows.push_back({exposure.name, exposure.center - exposure.width / 2,
                       exposure.center + exposure.width / 2});
  }
  windows.push_back({"overall", kMinHu, kMaxHu});
  return windows;
}

/// Edges of all tissue classes, ascending: the bins between them make up every class.
std::vector<double> tissue_edges() {
  std::vector<double> edges;
  for (const TissueClass& tissue : tissue_classes()) {
    for (const double edge : {tissue.low_hu, tissue.high_hu}) {
      if (std::isfinite(edge)) edges.push_back(edge);
    }
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

}  // namespace

FidelityMeter::FidelityMeter(const Volume& reference, const Volume& reconstruction,
                             const Volume* mask, const Vocabulary& vocabulary,
                             const FidelityOptions& options)
    : reference_(reference),
      reconstruction_(reconstruction),
      mask_(mask),
      vocabulary_(vocabulary),
      windows_(windows_of(options.windows)),
      edges_(tissue_edges()),
      tissues_(static_cast<int64_t>(edges_.size()) + 1),
      labels_(2 * vocabulary.size()),
      borders_(kBorderKinds),
      in_window_(static_cast<int64_t>(windows_.size())),
      whole_(1) {
  slab_voxels_ = options.slab_voxels;
  const auto& spacing = reference.geometry.spacing;
  spacing_dhw_ = {spacing[2], spacing[1], spacing[0]};
  side_ = noise_patch_side({spacing[0], spacing[1]});
  if (!mask) return;
  for (const std::string& name : options.homogeneous) {
    const auto label = vocabulary.find(name);
    if (!label) continue;
    noise_.push_back({*label, NoisePower({spacing[0], spacing[1]}, side_),
                      NoisePower({spacing[0], spacing[1]}, side_)});
  }
}

void FidelityMeter::add_all() {
  const int64_t depth = reference_.data.size(1);
  const int64_t area = reference_.data.size(2) * reference_.data.size(3);
  const int64_t step = std::clamp<int64_t>(slab_voxels_ / area, 1, depth);
  for (int64_t start = 0; start < depth; start += step) {
    throw_if_stopped();
    add(cut(start, std::min(step, depth - start), depth));
  }
}

/// With as many neighboring slices as the window of SSIM reaches to.
FidelitySlab FidelityMeter::cut(int64_t start, int64_t count, int64_t depth) const {
  const int64_t low = std::max<int64_t>(0, start - kSsimRadius);
  const int64_t high = std::min(depth, start + count + kSsimRadius);
  const auto part = [&](const Volume& volume) {
    return volume.data[0].narrow(0, low, high - low).to(at::kDouble);
  };
  return {part(reference_), part(reconstruction_), start - low, count, start, depth};
}

void FidelityMeter::add(const Slab& slab) {
  const Regions regions = regions_of(slab);
  const at::Tensor reference = slab.own(slab.reference);
  const at::Tensor difference = slab.own(slab.reconstruction) - reference;
  add_everywhere("voxels", regions, at::ones_like(reference));
  add_everywhere("absolute", regions, difference.abs());
  add_everywhere("signed", regions, difference);
  add_everywhere("reference", regions, reference);
  for (size_t k = 0; k < windows_.size(); ++k) add_window(slab, regions, k, difference);
  if (mask_) add_edges(slab, regions);
}

void FidelityMeter::add_everywhere(const std::string& name, const Regions& regions,
                                   const at::Tensor& values) {
  tissues_.add(name, regions.tissue, values);
  if (!mask_) return;
  labels_.add(name, regions.label, values);
  borders_.add(name, regions.border, values);
}

void FidelityMeter::add_window(const Slab& slab, const Regions& regions, size_t k,
                               const at::Tensor& difference) {
  const Window& window = windows_[k];
  // SSIM expects images that start at 0.
  const auto seen = [&](const at::Tensor& hu) {
    return hu.clamp(window.low, window.high).sub_(window.low);
  };
  const at::Tensor a = seen(slab.reference);
  const at::Tensor b = seen(slab.reconstruction);
  const at::Tensor squares = (slab.own(a) - slab.own(b)).square_();
  const SsimMaps maps = ssim_maps(a, b, window.range());
  const std::string key = window.name + "/";
  add_everywhere(key + "squares", regions, squares);
  add_everywhere(key + "ssim_3d", regions, slab.own(maps.volume));
  add_everywhere(key + "ssim_2d", regions, slab.own(maps.slices));
  add_whole(key + "squares", squares);
  add_inner(key + "ssim_3d", slab, slab.own(maps.volume), /*along_z=*/true);
  add_inner(key + "ssim_2d", slab, slab.own(maps.slices), /*along_z=*/false);
  const at::Tensor reference = slab.own(slab.reference);
  const at::Tensor inside = reference.ge(window.low).logical_and_(reference.le(window.high));
  const at::Tensor own = difference.masked_select(inside);
  const at::Tensor index = at::full(own.sizes(), static_cast<int64_t>(k), at::kLong);
  in_window_.add("voxels", index, at::ones_like(own));
  in_window_.add("absolute", index, own.abs());
  in_window_.add("signed", index, own);
  in_window_.add("reference", index, reference.masked_select(inside));
}

void FidelityMeter::add_whole(const std::string& name, const at::Tensor& values) {
  const at::Tensor index = at::zeros(values.sizes(), at::kLong);
  whole_.add(name, index, values);
  whole_.add(name + " voxels", index, at::ones_like(values));
}

/// Only voxels whose whole window lies in the image, as skimage averages them.
void FidelityMeter::add_inner(const std::string& name, const Slab& slab, const at::Tensor& map,
                              bool along_z) {
  const auto inner = [](const at::Tensor& values, int64_t axis, int64_t first, int64_t last) {
    return values.narrow(axis, first, std::max<int64_t>(0, last - first));
  };
  constexpr int64_t r = kSsimRadius;
  for (const int64_t axis : {1, 2}) {
    if (map.size(axis) <= 2 * r) return;
  }
  at::Tensor kept = inner(inner(map, 1, r, map.size(1) - r), 2, r, map.size(2) - r);
  if (along_z) {
    const int64_t first = std::clamp<int64_t>(r - slab.start, 0, slab.count);
    const int64_t last = std::clamp<int64_t>(slab.depth - r - slab.start, first, slab.count);
    kept = inner(kept, 0, first, last);
  }
  if (kept.numel() > 0) add_whole(name, kept);
}

FidelityRegions FidelityMeter::regions_of(const Slab& slab) const {
  Regions regions;
  const at::Tensor edges = at::tensor(edges_, at::kDouble);
  regions.tissue = at::bucketize(slab.own(slab.reference).contiguous(), edges, /*out_int32=*/false,
                                 /*right=*/true);
  if (!mask_) return regions;
  const at::Tensor labels = labels_around(slab);
  const int64_t first = std::min<int64_t>(slab.start, 1);
  const auto own = [&](const at::Tensor& whole) { return whole.narrow(0, first, slab.count); };
  // A border between the body and the background is the skin: of no organ.
  const at::Tensor organs = labels.masked_fill(labels.eq(vocabulary_.body()), 0);
  const at::Tensor on_border = own(beside_another(organs)).to(at::kLong);
  const at::Tensor on_tumor = own(beside_another(labels.eq(vocabulary_.tumor()))).to(at::kLong);
  const at::Tensor in_organ = own(organs.ne(0)).to(at::kLong);
  regions.label = own(labels) * 2 + on_border;
  regions.border = at::where(on_border.to(at::kBool), on_border + 1 + on_tumor, in_organ);
  return regions;
}

/// int64, with one slice more at each end where there is one.
at::Tensor FidelityMeter::labels_around(const Slab& slab) const {
  const int64_t low = std::max<int64_t>(0, slab.start - 1);
  const int64_t high = std::min(slab.depth, slab.start + slab.count + 1);
  return wide_labels(mask_->data[0].narrow(0, low, high - low).contiguous()).to(at::kLong);
}

void FidelityMeter::add_edges(const Slab& slab, const Regions& regions) {
  const auto steepness = [&](const at::Tensor& image) {
    return slab.own(gradient_magnitude(image, spacing_dhw_));
  };
  for (const auto& [name, image] :
       {std::pair("gradient", slab.reference), std::pair("gradient made", slab.reconstruction)}) {
    const at::Tensor gradient = steepness(image);
    labels_.add(name, regions.label, gradient);
    borders_.add(name, regions.border, gradient);
  }
  for (Noise& entry : noise_) {
    const at::Tensor inside = regions.label.eq(2 * entry.label);  // off the border
    for (int64_t z = 0; z < slab.count; ++z) {
      entry.reference.add(noise_patches(slab.own(slab.reference)[z], inside[z], side_));
      entry.reconstruction.add(noise_patches(slab.own(slab.reconstruction)[z], inside[z], side_));
    }
  }
}

}  // namespace guidegen
