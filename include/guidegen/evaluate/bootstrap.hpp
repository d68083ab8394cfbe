#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace guidegen {

struct BootstrapOptions {
  int64_t draws = 2000;
  uint64_t seed = 1;
};

/// Percentile bootstrap at 95 % (Efron, Ann. Stat. 7:1, 1979) over clusters: things that depend on
/// each other, such as the tumors of one mask, are drawn together or not at all. `statistics` is
/// told the clusters of a draw (indices below `clusters`, some repeated) and gives the same number
/// of figures every time. One interval a figure: its 2.5 % and 97.5 % quantiles over the draws,
/// interpolated; draws in which it is not finite are left out, and {NaN, NaN} stands where none is
/// left. No cluster: no interval. The same seed gives the same draws.
std::vector<std::pair<double, double>> bootstrap_intervals(
    size_t clusters,
    const std::function<std::vector<double>(const std::vector<size_t>&)>& statistics,
    const BootstrapOptions& options = {});

/// Value below which the share `q` (0…1) of `values` lies, interpolated linearly between order
/// statistics (type 7 of Hyndman and Fan, Am. Stat. 50:361, 1996). Not for an empty list.
double quantile(std::vector<double> values, double q);

}  // namespace guidegen
