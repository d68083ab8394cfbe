#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/evaluate/proportion.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// One organ in one mask.
struct OrganMeasure {
  int64_t voxels = 0;
  double volume_ml = 0;
  double largest_share = 0;  ///< of its voxels, those of its largest piece (26-neighborhood)
  /// Area of the voxel faces towards other labels over that of the ball of the same volume: shape
  /// and roughness whatever the size. 1.5 for a ball of fine voxels.
  double surface_ratio = 0;
  Vec3 centroid_mm{};
};

/// What one mask holds, by label name; organs that are absent have no entry.
struct MaskMeasure {
  double voxel_ml = 0;
  std::map<std::string, OrganMeasure> organs;
};

/// All labels but background, body and tumor. Mask [1,D,H,W] of the vocabulary.
MaskMeasure measure_anatomy(const Volume& mask, const Vocabulary& vocabulary);

/// One figure over masks. All NaN when there are none.
struct Distribution {
  int64_t count = 0;
  double median = 0;
  double low = 0;   ///< 5 %
  double high = 0;  ///< 95 %
  double deviation = 0;
};
Distribution distribution_of(std::vector<double> values);

/// Wasserstein-1 distance of two samples: the area between their distribution functions. NaN when
/// either is empty.
double wasserstein1(std::vector<double> a, std::vector<double> b);

/// One rule that a set of masks keeps or not.
struct AnatomyCheck {
  std::string name;  ///< "presence", "volume", "volume_spread", "connected", "surface", "order"
  double measured = 0;
  double low = 0;  ///< passes within [low, high]
  double high = 0;
  bool passed() const { return measured >= low && measured <= high; }
};

struct OrganAnatomy {
  std::string label;
  Proportion present;  ///< masks that have it
  Distribution volume_ml;
  Distribution largest_share;
  Distribution surface_ratio;
  std::optional<Distribution> reference_ml;
  std::optional<double> median_ratio;  ///< of the volumes, to the reference's
  std::optional<double> distance;      ///< Wasserstein-1 over the reference's standard deviation
  std::vector<AnatomyCheck> checks;
};

struct OrderAnatomy {
  std::string first;
  std::string relation;  ///< "right of", "above" or "before" (further anterior), of centroids
  std::string second;
  Proportion holds;  ///< of the masks that have both
  AnatomyCheck check;
};

struct AnatomyReport {
  int64_t masks = 0;
  int64_t reference_masks = 0;  ///< 0: judged by published volumes (anatomy/organ_facts.hpp)
  std::vector<OrganAnatomy> organs;
  std::vector<OrderAnatomy> order;

  Proportion organ_checks() const;
  Proportion order_checks() const;
};

/// What is expected of anatomy, besides volumes.
struct AnatomyRules {
  struct Order {
    std::string first, relation, second;  ///< labels or groups
  };
  std::vector<std::string> one_piece;
  std::vector<Order> order;

  /// The shipped configs/evaluate/anatomy.json.
  static AnatomyRules shipped();
  /// Throws Error(kUsage) naming `source` and the key.
  static AnatomyRules from_json(const Json& document, const std::string& source);
};

/// Judges a set of masks. With a reference set (of at least two masks), limits follow from it and
/// widen with the noise of small sets, by n = sqrt(1/masks + 1/reference masks):
/// - presence: the upper end of the share's 95 % interval reaches the reference's share less 0.05;
/// - volume: the ratio of medians is within a factor of 1.25 exp(2.5 CV n), CV the reference's
///   coefficient of variation;
/// - volume_spread: the Wasserstein-1 distance is at most 0.5 + 2 n reference deviations;
/// - connected (organs of one piece): the mean share of the largest piece is at least the
///   reference's less 0.05 and 2.5 n of its deviations;
/// - surface: the ratio of median surface_ratio is within 1.25 exp(2.5 CV n).
/// Without one: presence of at least 0.9 for organs of 64 voxels and more, a median volume within
/// two published standard deviations of men's or women's mean (at least a quarter of it), and a
/// mean share of the largest piece of at least 0.95. Order holds in at least 0.95 of the masks, or
/// the reference's share less 0.05. Rules about labels that the vocabulary lacks are left out.
AnatomyReport judge_anatomy(const std::vector<MaskMeasure>& masks,
                            const std::vector<MaskMeasure>& reference, const Vocabulary& vocabulary,
                            const AnatomyRules& rules = AnatomyRules::shipped());

/// Measures every case folder (<id>/{prompt.json, mask.nii.gz}) of `root`. Throws Error(kUsage)
/// when there is none.
std::vector<MaskMeasure> measure_masks(const std::filesystem::path& root,
                                       const Vocabulary& vocabulary,
                                       const std::function<void(int64_t, int64_t)>& on_case = {});

/// A table for people, the checks that failed, one line of score, and a final newline.
std::string to_table(const AnatomyReport& report);
/// Figures that do not exist are null.
Json to_json(const AnatomyReport& report);

}  // namespace guidegen
