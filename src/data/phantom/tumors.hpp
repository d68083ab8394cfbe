#pragma once

#include <optional>
#include <vector>

#include "data/phantom/painter.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen::phantom {

/// A tumor as it stands in the mask.
struct PlacedTumor {
  TumorPosition position = TumorPosition::kLiverRight;
  int64_t voxels = 0;
  double diameter_mm = 0;      ///< of the ball of the same volume
  std::vector<int64_t> where;  ///< its voxels
  uint8_t host = 0;            ///< label it mostly replaced
};

/// Which groups of tumors to draw: the wish, its open fields drawn from the priors.
struct TumorPlan {
  TumorPosition position = TumorPosition::kLiverRight;
  int count = 1;
  double size_mm = 30;
  std::optional<std::string> stage;  ///< as the wish has it
};
std::vector<TumorPlan> plan_tumors(const Prompt& wish, RandomStream& stream);

/// Paints the planned tumors into the finished anatomy. Tumors keep two voxels' distance from each
/// other, each is one connected piece; what finds no room is left out.
std::vector<PlacedTumor> place_tumors(Painter& painter, const std::vector<TumorPlan>& plans,
                                      uint64_t seed, const std::string& case_id);

/// What the mask shows, per position: count, mean diameter, size-based T stage where there is one.
std::vector<TumorRequest> describe_tumors(const std::vector<PlacedTumor>& tumors,
                                          const std::vector<TumorPlan>& plans);

/// Range of diameters (mm) of a T stage by size: TNM, 8th edition. Absent for stages that size does
/// not decide (colon, liver).
struct SizeRange {
  double low;
  double high;
};
std::optional<SizeRange> size_of_stage(TumorOrgan organ, const std::string& stage);
std::optional<std::string> stage_of_size(TumorOrgan organ, double size_mm);

}  // namespace guidegen::phantom
