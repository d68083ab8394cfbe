#include "guidegen/evaluate/proportion.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Rank of each value from 1, ties sharing their mean rank.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return values[i] < values[j]; });
  std::vector<double> result(values.size());
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double mean = static_cast<double>(first + last) / 2 + 1;
    for (size_t i = first; i <= last; ++i) result[order[i]] = mean;
    first = last + 1;
  }
  return result;
}

}  // namespace

double Proportion::share() const {
  return total == 0 ? kNaN : static_cast<double>(hits) / static_cast<double>(total);
}

std::pair<double, double> Proportion::interval() const {
  if (total == 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
  const auto n = static_cast<double>(total);
  const double p = share();
  const double center = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ / (1 + kZ * kZ / n) * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

Json to_json(const Proportion& proportion) {
  Json json = Json::object();
  json["hits"] = proportion.hits;
  json["total"] = proportion.total;
  const bool known = proportion.total > 0;
  const auto [low, high] = proportion.interval();
  json["share"] = known ? Json(proportion.share()) : Json();
  json["low"] = known ? Json(low) : Json();
  json["high"] = known ? Json(high) : Json();
  return json;
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) {
    throw_failure("rank correlation of ", a.size(), " and ", b.size(),
                  " values, expected equal numbers");
  }
  if (a.size() < 2) return kNaN;
  const std::vector<double> x = ranks(a);
  const std::vector<double> y = ranks(b);
  const double mean = static_cast<double>(a.size() + 1) / 2;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx == 0 || yy == 0 ? kNaN : xy / std::sqrt(xx * yy);
}

}  // namespace guidegen
