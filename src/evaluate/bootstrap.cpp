#include "guidegen/evaluate/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "guidegen/core/random_stream.hpp"

namespace guidegen {

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

std::vector<std::pair<double, double>> bootstrap_intervals(
    size_t clusters,
    const std::function<std::vector<double>(const std::vector<size_t>&)>& statistics,
    const BootstrapOptions& options) {
  std::vector<std::vector<double>> seen;  // by figure
  if (clusters == 0) return {};
  RandomStream stream(options.seed, "evaluate", "bootstrap");
  std::vector<size_t> draw(clusters);
  for (int64_t i = 0; i < options.draws; ++i) {
    for (size_t& index : draw) {
      index = static_cast<size_t>(stream.integer(static_cast<int64_t>(clusters)));
    }
    const std::vector<double> figures = statistics(draw);
    seen.resize(figures.size());
    for (size_t k = 0; k < figures.size(); ++k) {
      if (std::isfinite(figures[k])) seen[k].push_back(figures[k]);
    }
  }
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::pair<double, double>> intervals;
  for (const std::vector<double>& values : seen) {
    intervals.emplace_back(values.empty() ? kNaN : quantile(values, 0.025),
                           values.empty() ? kNaN : quantile(values, 0.975));
  }
  return intervals;
}

}  // namespace guidegen
