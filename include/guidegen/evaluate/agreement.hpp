#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/evaluate/clustered.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// One figure of one case, an organ's median HU for instance.
struct Observation {
  std::string cluster;                 ///< see ClusteredValues
  std::optional<ContrastPhase> phase;  ///< absent: open
  double value = 0;
};

/// How reference cases are distributed.
struct ReferenceRange {
  int64_t of = 0;
  double median = 0;
  double low = 0;  ///< 2.5 %; with `high`, the central 95 %
  double high = 0;
  double least = 0, most = 0;  ///< of all
  int sign = 0;                ///< of at least 95 % of them; 0: they have both

  bool contains(double value) const { return value >= low && value <= high; }
  /// Of a contrast: whether it has the reference's sign and lies in its whole range. Absent where
  /// the reference has both signs, so that it is often not seen there either.
  std::optional<bool> shows(double value) const;
};

/// The ranges of one figure among reference cases: of each contrast phase that has at least
/// kLeastReference values, and of all phases together for those that have fewer or are open.
class ReferenceRanges {
 public:
  static constexpr int64_t kLeastReference = 20;

  explicit ReferenceRanges(const std::vector<Observation>& reference);
  /// Null where even all phases together have too few values.
  const ReferenceRange* range_for(const std::optional<ContrastPhase>& phase) const;
  /// Of all phases together; absent without a value.
  const std::optional<ReferenceRange>& all() const { return all_; }

 private:
  std::map<ContrastPhase, ReferenceRange> by_phase_;
  std::optional<ReferenceRange> all_;
};

/// One figure of a set of cases against a reference; each value is judged by the range of its own
/// contrast phase.
struct Agreement {
  int64_t of = 0;
  double median = 0;                        ///< of the values
  std::optional<ReferenceRange> reference;  ///< of all phases together
  Share inside;                             ///< values within the central 95 % of the reference
  Share visible;                            ///< ReferenceRange::shows() of those that it judges
  Estimate offset;                          ///< median of the value less the reference's median
  Estimate ratio;                           ///< median of the value over the reference's median
};

Agreement agreement_of(const std::vector<Observation>& values, const ReferenceRanges& reference,
                       const BootstrapOptions& options = {});
/// {"of", "median", "reference": {"of", "median", "low", "high"}, "inside", "visible", "offset",
/// "ratio"}
Json to_json(const Agreement& agreement);

}  // namespace guidegen
