#include "guidegen/evaluate/clustered.hpp"

#include <cmath>
#include <limits>
#include <map>

namespace guidegen {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<std::vector<double>> by_cluster(const ClusteredValues& values) {
  std::map<std::string, std::vector<double>> clusters;
  for (const auto& [name, value] : values) {
    if (std::isfinite(value)) clusters[name].push_back(value);
  }
  std::vector<std::vector<double>> lists;
  for (auto& [name, list] : clusters) lists.push_back(std::move(list));
  return lists;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double median(const std::vector<double>& values) {
  return values.empty() ? kNaN : quantile(values, 0.5);
}

Estimate estimate(const ClusteredValues& values, double (*figure)(const std::vector<double>&),
                  const BootstrapOptions& options) {
  const auto clusters = by_cluster(values);
  const auto drawn = [&](const std::vector<size_t>& draw) {
    std::vector<double> all;
    for (const size_t index : draw) {
      all.insert(all.end(), clusters[index].begin(), clusters[index].end());
    }
    return all;
  };
  std::vector<size_t> each(clusters.size());
  for (size_t i = 0; i < each.size(); ++i) each[i] = i;
  const auto all = drawn(each);
  Estimate out{figure(all), {kNaN, kNaN}, static_cast<int64_t>(all.size())};
  if (clusters.size() < 2) return out;
  out.interval = bootstrap_intervals(
      clusters.size(),
      [&](const std::vector<size_t>& draw) { return std::vector<double>{figure(drawn(draw))}; },
      options)[0];
  return out;
}

}  // namespace

Estimate mean_of(const ClusteredValues& values, const BootstrapOptions& options) {
  return estimate(values, mean, options);
}

Estimate median_of(const ClusteredValues& values, const BootstrapOptions& options) {
  return estimate(values, median, options);
}

Share share_of(const ClusteredValues& values, const BootstrapOptions& options) {
  Share share{{}, {kNaN, kNaN}};
  ClusteredValues hits;
  for (const auto& [name, value] : values) {
    if (!std::isfinite(value)) continue;
    hits.emplace_back(name, value != 0 ? 1.0 : 0.0);
    share.proportion.add(value != 0 ? 1 : 0, 1);
  }
  share.by_case = mean_of(hits, options).interval;
  return share;
}

}  // namespace guidegen
