#include "guidegen/evaluate/anatomy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "guidegen/anatomy/organ_facts.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Linear between the order statistics; `sorted` is not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// One figure of an organ in each mask that has it.
std::vector<double> figures(const std::vector<MaskMeasure>& masks, const std::string& label,
                            double OrganMeasure::*figure) {
  std::vector<double> values;
  for (const MaskMeasure& mask : masks) {
    const auto organ = mask.organs.find(label);
    if (organ != mask.organs.end()) values.push_back(organ->second.*figure);
  }
  return values;
}

/// What separates two samples of one population by chance, as a factor between their medians.
double factor_limit(const Distribution& reference, double noise) {
  return 1.25 * std::exp(2.5 * reference.deviation / reference.median * noise);
}

const OrganFacts* facts_of(const std::string& label) {
  const auto& all = organ_facts();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const OrganFacts& facts) { return facts.label == label; });
  return found == all.end() ? nullptr : &*found;
}

/// Sets of masks that are compared, and the rules.
class Judge {
 public:
  Judge(const std::vector<MaskMeasure>& masks, const std::vector<MaskMeasure>& reference,
        const Vocabulary& vocabulary, const AnatomyRules& rules)
      : masks_(masks), reference_(reference), vocabulary_(vocabulary), rules_(rules) {
    if (masks.empty()) throw_usage("anatomy: no mask to judge");
    if (reference.size() == 1) {
      throw_usage("anatomy: a reference set of one mask, expected two or more");
    }
    if (referenced()) {
      noise_ = std::sqrt(1.0 / static_cast<double>(masks.size()) +
                         1.0 / static_cast<double>(reference.size()));
    }
  }

  OrganAnatomy organ(const std::string& label) const {
    OrganAnatomy organ;
    organ.label = label;
    organ.present = share_with(masks_, label);
    organ.volume_ml = distribution_of(figures(masks_, label, &OrganMeasure::volume_ml));
    organ.largest_share = distribution_of(figures(masks_, label, &OrganMeasure::largest_share));
    organ.surface_ratio = distribution_of(figures(masks_, label, &OrganMeasure::surface_ratio));
    if (referenced()) {
      check_against_reference(organ);
    } else {
      check_against_facts(organ);
    }
    check_connected(organ);
    return organ;
  }

  OrderAnatomy order(const AnatomyRules::Order& rule) const {
    OrderAnatomy order;
    order.first = rule.first;
    order.relation = rule.relation;
    order.second = rule.second;
    order.holds = share_in_order(masks_, rule);
    order.check = {"order", order.holds.share(), 0.95, 1};
    if (referenced()) {
      const Proportion usual = share_in_order(reference_, rule);
      order.check.low = usual.total > 0 ? usual.share() - 0.05 : 0;
    }
    return order;
  }

  /// Labels of a rule's organ or group; empty when the vocabulary lacks it.
  std::vector<int> members(const std::string& name) const {
    if (const auto id = vocabulary_.find(name)) return {*id};
    const auto group = vocabulary_.groups().find(name);
    return group == vocabulary_.groups().end() ? std::vector<int>{} : group->second;
  }

 private:
  bool referenced() const { return !reference_.empty(); }

  static Proportion share_with(const std::vector<MaskMeasure>& masks, const std::string& label) {
    Proportion present;
    for (const MaskMeasure& mask : masks) present.add(mask.organs.contains(label) ? 1 : 0, 1);
    return present;
  }

  void check_against_reference(OrganAnatomy& organ) const {
    const Proportion usual = share_with(reference_, organ.label);
    organ.checks.push_back(
        {"presence", organ.present.interval().second, usual.share() - 0.05, kInfinity});
    const auto usual_ml = figures(reference_, organ.label, &OrganMeasure::volume_ml);
    organ.reference_ml = distribution_of(usual_ml);
    if (organ.volume_ml.count == 0 || usual_ml.size() < 2) return;
    organ.median_ratio = organ.volume_ml.median / organ.reference_ml->median;
    const double factor = factor_limit(*organ.reference_ml, noise_);
    organ.checks.push_back({"volume", *organ.median_ratio, 1 / factor, factor});
    if (organ.reference_ml->deviation > 0) {
      const auto own_ml = figures(masks_, organ.label, &OrganMeasure::volume_ml);
      organ.distance = wasserstein1(own_ml, usual_ml) / organ.reference_ml->deviation;
      organ.checks.push_back({"volume_spread", *organ.distance, 0, 0.5 + 2 * noise_});
    }
    const Distribution surface =
        distribution_of(figures(reference_, organ.label, &OrganMeasure::surface_ratio));
    const double limit = factor_limit(surface, noise_);
    organ.checks.push_back(
        {"surface", organ.surface_ratio.median / surface.median, 1 / limit, limit});
  }

  void check_against_facts(OrganAnatomy& organ) const {
    const OrganFacts* facts = facts_of(organ.label);
    if (!facts) return;
    const double smaller = std::min(facts->volume_ml_male, facts->volume_ml_female);
    const double larger = std::max(facts->volume_ml_male, facts->volume_ml_female);
    // Less may vanish by rounding alone.
    if (smaller >= 64 * masks_.front().voxel_ml) {
      organ.checks.push_back({"presence", organ.present.interval().second, 0.9, kInfinity});
    }
    if (organ.volume_ml.count == 0) return;
    const double spread = 2 * facts->volume_spread;
    organ.checks.push_back({"volume", organ.volume_ml.median, smaller * std::max(0.25, 1 - spread),
                            larger * (1 + spread)});
  }

  void check_connected(OrganAnatomy& organ) const {
    const auto& whole = rules_.one_piece;
    if (std::find(whole.begin(), whole.end(), organ.label) == whole.end()) return;
    const auto shares = figures(masks_, organ.label, &OrganMeasure::largest_share);
    if (shares.empty()) return;
    const auto usual = figures(reference_, organ.label, &OrganMeasure::largest_share);
    const double low =
        usual.empty() ? 0.95 : mean(usual) - 0.05 - 2.5 * distribution_of(usual).deviation * noise_;
    organ.checks.push_back({"connected", mean(shares), low, 1});
  }

  /// Centroid of a label or group in world mm, over the members that are there.
  std::optional<Vec3> centroid(const MaskMeasure& mask, const std::string& name) const {
    double voxels = 0;
    Vec3 sum{};
    for (const int id : members(name)) {
      const auto organ = mask.organs.find(vocabulary_.label(id).name);
      if (organ == mask.organs.end()) continue;
      const auto weight = static_cast<double>(organ->second.voxels);
      voxels += weight;
      for (size_t axis = 0; axis < 3; ++axis) {
        sum[axis] += weight * organ->second.centroid_mm[axis];
      }
    }
    if (voxels == 0) return std::nullopt;
    for (double& coordinate : sum) coordinate /= voxels;
    return sum;
  }

  Proportion share_in_order(const std::vector<MaskMeasure>& masks,
                            const AnatomyRules::Order& rule) const {
    // The world is RAS: x grows to the right, y to the front, z upwards.
    const size_t axis = rule.relation == "right of" ? 0 : rule.relation == "before" ? 1 : 2;
    Proportion holds;
    for (const MaskMeasure& mask : masks) {
      const auto first = centroid(mask, rule.first);
      const auto second = centroid(mask, rule.second);
      if (first && second) holds.add((*first)[axis] > (*second)[axis] ? 1 : 0, 1);
    }
    return holds;
  }

  const std::vector<MaskMeasure>& masks_;
  const std::vector<MaskMeasure>& reference_;
  const Vocabulary& vocabulary_;
  const AnatomyRules& rules_;
  double noise_ = 0;
};

}  // namespace

Distribution distribution_of(std::vector<double> values) {
  if (values.empty()) return {0, kNaN, kNaN, kNaN, kNaN};
  std::sort(values.begin(), values.end());
  const double center = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  const auto count = static_cast<int64_t>(values.size());
  const double deviation = count > 1 ? std::sqrt(squares / static_cast<double>(count - 1)) : 0;
  return {count, quantile(values, 0.5), quantile(values, 0.05), quantile(values, 0.95), deviation};
}

double wasserstein1(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return kNaN;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  const auto share_up_to = [](const std::vector<double>& sorted, double value) {
    const auto count = std::upper_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
    return static_cast<double>(count) / static_cast<double>(sorted.size());
  };
  double area = 0;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    area += std::abs(share_up_to(a, all[i]) - share_up_to(b, all[i])) * (all[i + 1] - all[i]);
  }
  return area;
}

Proportion AnatomyReport::organ_checks() const {
  Proportion checks;
  for (const OrganAnatomy& organ : organs) {
    for (const AnatomyCheck& check : organ.checks) checks.add(check.passed() ? 1 : 0, 1);
  }
  return checks;
}

Proportion AnatomyReport::order_checks() const {
  Proportion checks;
  for (const OrderAnatomy& entry : order) {
    if (entry.holds.total > 0) checks.add(entry.check.passed() ? 1 : 0, 1);
  }
  return checks;
}

AnatomyReport judge_anatomy(const std::vector<MaskMeasure>& masks,
                            const std::vector<MaskMeasure>& reference, const Vocabulary& vocabulary,
                            const AnatomyRules& rules) {
  const Judge judge(masks, reference, vocabulary, rules);
  AnatomyReport report;
  report.masks = static_cast<int64_t>(masks.size());
  report.reference_masks = static_cast<int64_t>(reference.size());
  for (const LabelInfo& label : vocabulary.labels()) {
    const bool organ = label.id != vocabulary.background() && label.id != vocabulary.body() &&
                       label.id != vocabulary.tumor();
    if (organ) report.organs.push_back(judge.organ(label.name));
  }
  for (const AnatomyRules::Order& rule : rules.order) {
    if (judge.members(rule.first).empty() || judge.members(rule.second).empty()) continue;
    report.order.push_back(judge.order(rule));
  }
  return report;
}

}  // namespace guidegen
