#pragma once

#include <string>
#include <vector>

#include "evaluate/region_sums.hpp"
#include "guidegen/evaluate/fidelity.hpp"

namespace guidegen {

/// What one case is measured through: HU are clamped to [low, high].
struct FidelityWindow {
  std::string name;
  double low = 0, high = 0;
  double range() const { return high - low; }
};

/// How the voxels of a slab are numbered; labels and borders are undefined without a mask.
struct FidelityRegions {
  at::Tensor tissue;  ///< bin between the edges of all tissue classes
  at::Tensor label;   ///< 2 label + 1 on the label's border, 2 label off it
  at::Tensor border;  ///< 0 elsewhere, 1 inside organs off borders, 2 on borders, 3 on a tumor's
};
inline constexpr int64_t kBorderKinds = 4;

/// A slab with its neighbors, float64 HU [z,H,W]; `first` and `count` are its own slices in it.
struct FidelitySlab {
  at::Tensor reference, reconstruction;
  int64_t first = 0, count = 0;
  int64_t start = 0;  ///< in the volume
  int64_t depth = 0;  ///< of the volume

  at::Tensor own(const at::Tensor& whole) const { return whole.narrow(0, first, count); }
};

/// Sums over the slabs of one case, and the figures that follow from them.
class FidelityMeter {
 public:
  /// Keeps references to its arguments.
  FidelityMeter(const Volume& reference, const Volume& reconstruction, const Volume* mask,
                const Vocabulary& vocabulary, const FidelityOptions& options);

  /// Goes through the volume once, slab by slab.
  void add_all();
  std::vector<FidelitySection> sections() const;
  std::vector<NoiseComparison> noise() const;

 private:
  using Slab = FidelitySlab;
  using Regions = FidelityRegions;
  using Window = FidelityWindow;
  struct Noise {
    int label;
    NoisePower reference, reconstruction;
  };

  Slab cut(int64_t start, int64_t count, int64_t depth) const;
  void add(const Slab& slab);
  void add_everywhere(const std::string& name, const Regions& regions, const at::Tensor& values);
  void add_window(const Slab& slab, const Regions& regions, size_t k, const at::Tensor& difference);
  void add_whole(const std::string& name, const at::Tensor& values);
  void add_inner(const std::string& name, const Slab& slab, const at::Tensor& map, bool along_z);
  void add_edges(const Slab& slab, const Regions& regions);
  Regions regions_of(const Slab& slab) const;
  at::Tensor labels_around(const Slab& slab) const;

  std::vector<FidelityFigure> figures_of(const RegionSums& sums,
                                         const std::vector<int64_t>& regions) const;
  std::vector<FidelityRow> window_rows() const;
  std::vector<FidelityRow> tissue_rows() const;
  std::vector<FidelityRow> organ_rows() const;
  std::vector<FidelityRow> border_rows() const;
  std::vector<FidelityRow> noise_rows() const;

  const Volume& reference_;
  const Volume& reconstruction_;
  const Volume* mask_;
  const Vocabulary& vocabulary_;
  std::vector<Window> windows_;
  std::vector<double> edges_;  // of the tissue classes, ascending
  std::vector<double> spacing_dhw_;
  int64_t side_ = 0;  // of the patches of noise
  int64_t slab_voxels_ = 0;
  RegionSums tissues_, labels_, borders_, in_window_, whole_;
  std::vector<Noise> noise_;
};

}  // namespace guidegen
