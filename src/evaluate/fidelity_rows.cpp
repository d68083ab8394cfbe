#include <cmath>
#include <limits>

#include "evaluate/fidelity_meter.hpp"
#include "guidegen/volume/tissue_classes.hpp"

namespace guidegen {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double peak_ratio_db(double squares, double voxels, const FidelityWindow& window) {
  return 10 * std::log10(window.range() * window.range() / (squares / voxels));
}

void add_border_figures(const RegionSums& sums, const std::vector<int64_t>& regions,
                        FidelityRow& row) {
  const auto mean = [&](const char* name) {
    return sums.total(name, regions) / sums.total("voxels", regions);  // NaN without a border
  };
  row.figures.emplace_back("border_mae_hu", mean("absolute"));
  row.figures.emplace_back("border_gradient_hu_per_mm", mean("gradient"));
  row.figures.emplace_back("border_gradient_made_hu_per_mm", mean("gradient made"));
  row.figures.emplace_back("sharpness", mean("gradient made") / mean("gradient"));
}

}  // namespace

std::vector<FidelitySection> FidelityMeter::sections() const {
  std::vector<FidelitySection> all = {{"windows", window_rows()}, {"tissues", tissue_rows()}};
  if (mask_) {
    all.push_back({"organs", organ_rows()});
    all.push_back({"borders", border_rows()});
    all.push_back({"noise", noise_rows()});
  }
  return all;
}

std::vector<NoiseComparison> FidelityMeter::noise() const {
  std::vector<NoiseComparison> all;
  for (const Noise& entry : noise_) {
    NoiseComparison comparison{vocabulary_.label(entry.label).name, entry.reference.spectrum(),
                               entry.reconstruction.spectrum()};
    if (comparison.reference.patches > 0) all.push_back(std::move(comparison));
  }
  return all;
}

/// Figures of any region; empty without a voxel.
std::vector<FidelityFigure> FidelityMeter::figures_of(const RegionSums& sums,
                                                      const std::vector<int64_t>& regions) const {
  const auto total = [&](const std::string& name) { return sums.total(name, regions); };
  const double voxels = total("voxels");
  if (voxels == 0) return {};
  std::vector<FidelityFigure> figures = {{"voxels", voxels},
                                         {"reference_hu", total("reference") / voxels},
                                         {"mae_hu", total("absolute") / voxels},
                                         {"bias_hu", total("signed") / voxels}};
  for (const FidelityWindow& window : windows_) {
    const std::string key = window.name + "/";
    figures.emplace_back(key + "psnr_db", peak_ratio_db(total(key + "squares"), voxels, window));
    figures.emplace_back(key + "ssim_3d", total(key + "ssim_3d") / voxels);
    figures.emplace_back(key + "ssim_2d", total(key + "ssim_2d") / voxels);
  }
  return figures;
}

std::vector<FidelityRow> FidelityMeter::window_rows() const {
  std::vector<FidelityRow> rows;
  for (size_t k = 0; k < windows_.size(); ++k) {
    const FidelityWindow& window = windows_[k];
    const std::vector<int64_t> own = {static_cast<int64_t>(k)};
    const double voxels = in_window_.total("voxels", own);
    const auto mean = [&](const char* name) {
      return voxels > 0 ? in_window_.total(name, own) / voxels : kNaN;
    };
    const auto whole = [&](const char* name) {
      const std::string key = window.name + "/" + name;
      return whole_.total(key, {0}) / whole_.total(key + " voxels", {0});  // NaN when too small
    };
    rows.push_back({window.name,
                    {{"voxels", voxels},
                     {"low_hu", window.low},
                     {"high_hu", window.high},
                     {"reference_hu", mean("reference")},
                     {"mae_hu", mean("absolute")},
                     {"bias_hu", mean("signed")},
                     {"psnr_db", peak_ratio_db(whole("squares"), 1, window)},
                     {"ssim_3d", whole("ssim_3d")},
                     {"ssim_2d", whole("ssim_2d")}}});
  }
  return rows;
}

std::vector<FidelityRow> FidelityMeter::tissue_rows() const {
  std::vector<FidelityRow> rows;
  for (const TissueClass& tissue : tissue_classes()) {
    std::vector<int64_t> bins;
    for (size_t bin = 0; bin <= edges_.size(); ++bin) {
      const double low = bin == 0 ? -kInfinity : edges_[bin - 1];
      if (low >= tissue.low_hu && low < tissue.high_hu) bins.push_back(static_cast<int64_t>(bin));
    }
    FidelityRow row{tissue.name, figures_of(tissues_, bins)};
    if (!row.figures.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<FidelityRow> FidelityMeter::organ_rows() const {
  std::vector<FidelityRow> rows;
  for (const LabelInfo& label : vocabulary_.labels()) {
    if (label.id == vocabulary_.background()) continue;
    const int64_t border = 2 * label.id + 1;
    FidelityRow row{label.name, figures_of(labels_, {border - 1, border})};
    if (row.figures.empty()) continue;
    if (label.id != vocabulary_.body()) add_border_figures(labels_, {border}, row);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<FidelityRow> FidelityMeter::border_rows() const {
  const std::vector<std::pair<const char*, std::vector<int64_t>>> kinds = {
      {"organ_borders", {2, 3}}, {"tumor_borders", {3}}, {"inside_organs", {1}}};
  std::vector<FidelityRow> rows;
  for (const auto& [name, regions] : kinds) {
    FidelityRow row{name, figures_of(borders_, regions)};
    if (row.figures.empty()) continue;
    if (regions.front() != 1) add_border_figures(borders_, regions, row);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<FidelityRow> FidelityMeter::noise_rows() const {
  std::vector<FidelityRow> rows;
  for (const NoiseComparison& entry : noise()) {
    const NoiseSpectrum& a = entry.reference;
    const NoiseSpectrum& b = entry.reconstruction;
    rows.push_back({entry.label,
                    {{"patches", static_cast<double>(a.patches)},
                     {"patch_voxels", static_cast<double>(side_)},
                     {"variance_hu2", a.variance},
                     {"variance_made_hu2", b.variance},
                     {"variance_ratio", b.variance / a.variance},
                     {"frequency_per_mm", a.mean_frequency_per_mm},
                     {"frequency_made_per_mm", b.mean_frequency_per_mm},
                     {"frequency_ratio", b.mean_frequency_per_mm / a.mean_frequency_per_mm}}});
  }
  return rows;
}

}  // namespace guidegen
