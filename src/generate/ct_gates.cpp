#include <algorithm>
#include <cmath>
#include <optional>

#include "generate/tumor_box.hpp"
#include "guidegen/anatomy/organ_facts.hpp"
#include "guidegen/generate/gates.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

struct Range {
  double low = 0;
  double high = 0;
};

/// Published mean HU in the phase, or the range of them over all phases.
Range published_hu(const OrganFacts& facts, std::optional<ContrastPhase> phase) {
  const auto one = [](double hu) { return Range{hu, hu}; };
  if (phase == ContrastPhase::kNone) return one(facts.hu_native);
  if (phase == ContrastPhase::kArterial) return one(facts.hu_arterial);
  if (phase == ContrastPhase::kPortalVenous) return one(facts.hu_portal_venous);
  if (phase == ContrastPhase::kDelayed) return one(facts.hu_delayed);
  const auto [low, high] =
      std::minmax({facts.hu_native, facts.hu_arterial, facts.hu_portal_venous, facts.hu_delayed});
  return {low, high};
}

double to_tenths(double value) { return std::round(10 * value) / 10; }

Gate hu_gate(const Volume& ct, const Volume& mask, const Prompt& prompt,
             const Vocabulary& vocabulary, const GateSettings::OrganHu& settings) {
  Gate gate{"organ_hu", settings.action};
  gate.details = Json::object();
  Json outside = Json::array();
  for (const std::string& label : settings.labels) {
    const std::optional<int> id = vocabulary.find(label);
    if (!id) continue;
    const at::Tensor values = ct.data.masked_select(voxels_of(mask.data, *id));
    if (values.numel() < settings.min_voxels) continue;
    const OrganFacts& facts = organ_facts(label);
    const auto [low, high] = published_hu(facts, prompt.contrast);
    const double margin = settings.deviations * facts.hu_spread;
    const auto median = values.median().item<double>();
    if (!(median >= low - margin && median <= high + margin)) outside.push_back(label);
    gate.details[label] = {{"median_hu", to_tenths(median)},
                           {"low_hu", to_tenths(low - margin)},
                           {"high_hu", to_tenths(high + margin)}};
  }
  const size_t judged = gate.details.size();
  gate.penalty = static_cast<double>(outside.size());
  gate.wanted = {{"organs", judged}};
  gate.measured = {{"organs", judged - outside.size()}, {"outside", std::move(outside)}};
  return gate;
}

std::vector<int> host_labels(const FoundTumor& tumor, const Vocabulary& vocabulary) {
  if (tumor.position) return host_labels_of(*tumor.position, vocabulary);
  std::vector<int> labels;
  for (const TumorPosition position : positions_of(*tumor.organ)) {
    for (const int label : host_labels_of(position, vocabulary)) labels.push_back(label);
  }
  return labels;
}

/// |mean HU of the tumor - mean HU of its host nearby|; absent where there is too little of either.
std::optional<double> contrast_of(const FoundTumor& tumor, const Volume& ct, const Volume& mask,
                                  const Vocabulary& vocabulary) {
  constexpr int64_t kMargin = 3;      // voxels
  constexpr int64_t kHostVoxels = 8;  // fewer tell no mean
  if (!tumor.organ) return std::nullopt;
  const at::Tensor labels = box_around(tumor.component, mask.data, kMargin);
  const at::Tensor values = box_around(tumor.component, ct.data, kMargin);
  // Another tumor in the box counts too.
  const at::Tensor inside = values.masked_select(voxels_of(labels, vocabulary.tumor()));
  at::Tensor host = at::zeros(labels.sizes(), at::kBool);
  for (const int label : host_labels(tumor, vocabulary)) host.logical_or_(voxels_of(labels, label));
  const at::Tensor outside = values.masked_select(host);
  if (inside.numel() == 0 || outside.numel() < kHostVoxels) return std::nullopt;
  return std::abs((inside.mean() - outside.mean()).item<double>());
}

std::optional<Gate> visible_gate(const Volume& ct, const Volume& mask,
                                 const std::vector<FoundTumor>& tumors,
                                 const Vocabulary& vocabulary,
                                 const GateSettings::TumorVisible& settings) {
  Gate gate{"tumor_visible", settings.action};
  gate.details = Json::array();
  double sum = 0;
  for (const FoundTumor& tumor : tumors) {
    if (tumor.component.voxels < settings.min_voxels) continue;
    const std::optional<double> contrast = contrast_of(tumor, ct, mask, vocabulary);
    if (!contrast) continue;
    sum += *contrast;
    gate.details.push_back(
        {{"organ", name_of(*tumor.organ)}, {"contrast_hu", to_tenths(*contrast)}});
  }
  if (gate.details.empty()) return std::nullopt;
  const double mean = sum / static_cast<double>(gate.details.size());
  gate.penalty = mean >= settings.min_contrast_hu ? 0 : 1;  // 1 for NaN, too
  gate.wanted = {{"at_least_hu", settings.min_contrast_hu}};
  gate.measured = {{"mean_contrast_hu", to_tenths(mean)}};
  return gate;
}

}  // namespace

std::vector<Gate> check_ct(const Volume& ct, const Volume& mask, const Prompt& prompt,
                           const std::vector<FoundTumor>& tumors, const Vocabulary& vocabulary,
                           const GateSettings& settings) {
  std::vector<Gate> gates;
  if (settings.organ_hu.action != GateAction::kOff) {
    Gate gate = hu_gate(ct, mask, prompt, vocabulary, settings.organ_hu);
    if (!gate.details.empty()) gates.push_back(std::move(gate));
  }
  if (settings.tumor_visible.action != GateAction::kOff) {
    auto gate = visible_gate(ct, mask, tumors, vocabulary, settings.tumor_visible);
    if (gate) gates.push_back(std::move(*gate));
  }
  return gates;
}

}  // namespace guidegen
