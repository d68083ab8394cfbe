#include "guidegen/evaluate/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluate/report_words.hpp"

namespace guidegen {
namespace {

ReferenceRange range_of(const std::vector<double>& values) {
  constexpr double kOneSign = 0.95;
  const auto count = static_cast<double>(values.size());
  const auto above = std::count_if(values.begin(), values.end(), [](double v) { return v > 0; });
  const auto below = std::count_if(values.begin(), values.end(), [](double v) { return v < 0; });
  ReferenceRange range;
  range.of = static_cast<int64_t>(values.size());
  range.median = quantile(values, 0.5);
  range.low = quantile(values, 0.025);
  range.high = quantile(values, 0.975);
  range.least = quantile(values, 0);
  range.most = quantile(values, 1);
  if (static_cast<double>(above) >= kOneSign * count) range.sign = 1;
  if (static_cast<double>(below) >= kOneSign * count) range.sign = -1;
  return range;
}

}  // namespace

std::optional<bool> ReferenceRange::shows(double value) const {
  if (sign == 0) return std::nullopt;
  return value * sign > 0 && value >= least && value <= most;
}

ReferenceRanges::ReferenceRanges(const std::vector<Observation>& reference) {
  std::map<ContrastPhase, std::vector<double>> phases;
  std::vector<double> all;
  for (const Observation& observation : reference) {
    if (!std::isfinite(observation.value)) continue;
    all.push_back(observation.value);
    if (observation.phase) phases[*observation.phase].push_back(observation.value);
  }
  if (!all.empty()) all_ = range_of(all);
  for (const auto& [phase, values] : phases) {
    if (static_cast<int64_t>(values.size()) >= kLeastReference) by_phase_[phase] = range_of(values);
  }
}

const ReferenceRange* ReferenceRanges::range_for(const std::optional<ContrastPhase>& phase) const {
  const auto found = phase ? by_phase_.find(*phase) : by_phase_.end();
  if (found != by_phase_.end()) return &found->second;
  return all_ && all_->of >= kLeastReference ? &*all_ : nullptr;
}

Agreement agreement_of(const std::vector<Observation>& values, const ReferenceRanges& reference,
                       const BootstrapOptions& options) {
  Agreement out;
  ClusteredValues inside, visible, offsets, ratios;
  std::vector<double> all;
  for (const auto& [cluster, phase, value] : values) {
    if (!std::isfinite(value)) continue;
    all.push_back(value);
    const ReferenceRange* range = reference.range_for(phase);
    if (!range) continue;
    inside.emplace_back(cluster, range->contains(value) ? 1 : 0);
    if (const auto shown = range->shows(value)) visible.emplace_back(cluster, *shown ? 1 : 0);
    offsets.emplace_back(cluster, value - range->median);
    ratios.emplace_back(cluster, value / range->median);
  }
  out.of = static_cast<int64_t>(all.size());
  out.median = all.empty() ? std::numeric_limits<double>::quiet_NaN() : quantile(all, 0.5);
  out.reference = reference.all();
  out.inside = share_of(inside, options);
  out.visible = share_of(visible, options);
  out.offset = median_of(offsets, options);
  out.ratio = median_of(ratios, options);
  return out;
}

Json to_json(const Agreement& agreement) {
  Json json = {{"of", agreement.of}, {"median", number_or_null(agreement.median)}};
  json["reference"] = nullptr;
  if (const auto& reference = agreement.reference) {
    json["reference"] = {{"of", reference->of},
                         {"median", number_or_null(reference->median)},
                         {"low", number_or_null(reference->low)},
                         {"high", number_or_null(reference->high)}};
  }
  json["inside"] = to_json(agreement.inside);
  json["visible"] = to_json(agreement.visible);
  json["offset"] = to_json(agreement.offset);
  json["ratio"] = to_json(agreement.ratio);
  return json;
}

}  // namespace guidegen
