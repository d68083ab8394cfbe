#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// How many of how many.
struct Proportion {
  int64_t hits = 0;
  int64_t total = 0;

  void add(int64_t more_hits, int64_t more_total) {
    hits += more_hits;
    total += more_total;
  }
  double share() const;  ///< NaN when the total is 0
  /// Wilson score interval at 95 % (Wilson, J. Am. Stat. Assoc. 22:209, 1927); {0, 1} for total 0.
  std::pair<double, double> interval() const;
  bool operator==(const Proportion&) const = default;
};

/// {"hits", "total", "share", "low", "high"}; the last three null when the total is 0.
Json to_json(const Proportion& proportion);

/// Spearman's rank correlation, ties given their mean rank. NaN for fewer than two pairs or when
/// either side is constant. Throws Error(kFailure) for unequal lengths.
double spearman(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace guidegen
