#include <algorithm>
#include <cmath>
#include <map>

#include "generate/mask_gates.hpp"
#include "generate/tumor_box.hpp"
#include "guidegen/anatomy/organ_facts.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

/// An organ of the vocabulary whose size is published.
struct KnownOrgan {
  int id = 0;
  const OrganFacts* facts = nullptr;
};

/// Whether a mask on `grid` sees at least 90 % of the trained field of view along each axis.
bool sees_whole(const ImageGeometry& grid, const ImageGeometry& trained) {
  for (size_t axis = 0; axis < 3; ++axis) {
    const double seen = static_cast<double>(grid.size[axis]) * grid.spacing[axis];
    const double whole = static_cast<double>(trained.size[axis]) * trained.spacing[axis];
    if (seen < 0.9 * whole) return false;
  }
  return true;
}

/// Organs of at least `min_voxels` in the smaller sex: less may vanish by rounding.
std::vector<KnownOrgan> organs_of_size(int64_t min_voxels, const ImageGeometry& grid,
                                       const Vocabulary& vocabulary) {
  const double least_ml = static_cast<double>(min_voxels) * grid.voxel_ml();
  std::vector<KnownOrgan> organs;
  for (const OrganFacts& facts : organ_facts()) {
    const std::optional<int> id = vocabulary.find(facts.label);
    if (!id || *id == vocabulary.tumor() || *id == vocabulary.background()) continue;
    if (std::min(facts.volume_ml_male, facts.volume_ml_female) < least_ml) continue;
    organs.push_back({*id, &facts});
  }
  return organs;
}

Gate presence_gate(const std::vector<KnownOrgan>& organs, const int64_t* voxels,
                   GateAction action) {
  Gate gate{"organs_present", action};
  Json missing = Json::array();
  for (const KnownOrgan& organ : organs) {
    if (voxels[organ.id] == 0) missing.push_back(organ.facts->label);
  }
  gate.penalty = static_cast<double>(missing.size());
  gate.wanted = {{"labels", organs.size()}};
  gate.measured = {{"labels", organs.size() - missing.size()}, {"missing", std::move(missing)}};
  return gate;
}

/// Volume in ml of the tumors that each label touches, as far as their bounding boxes tell.
std::map<int, double> touching_tumors_ml(const Volume& mask, const std::vector<FoundTumor>& tumors,
                                         int labels) {
  std::map<int, double> touching;
  for (const FoundTumor& tumor : tumors) {
    const at::Tensor counts = count_labels(box_around(tumor.component, mask.data, 1), labels);
    for (int id = 0; id < labels; ++id) {
      if (counts[id].item<int64_t>() > 0) touching[id] += tumor.component.volume_ml;
    }
  }
  return touching;
}

struct Limits {
  double low = 0;
  double high = 0;
};

/// Volumes are positive and spread by factors: log-normal with the published mean as its median and
/// the published coefficient of variation, sigma² = ln(1 + CV²).
Limits volume_limits(const OrganFacts& facts, std::optional<Sex> sex, double deviations) {
  const double factor =
      std::exp(deviations * std::sqrt(std::log1p(std::pow(facts.volume_spread, 2))));
  double smaller = std::min(facts.volume_ml_male, facts.volume_ml_female);
  double larger = std::max(facts.volume_ml_male, facts.volume_ml_female);
  if (sex) smaller = larger = *sex == Sex::kMale ? facts.volume_ml_male : facts.volume_ml_female;
  return {smaller / factor, larger * factor};
}

double to_tenths(double value) { return std::round(10 * value) / 10; }

Gate volumes_gate(const std::vector<KnownOrgan>& organs, const int64_t* voxels, const Volume& mask,
                  const Prompt& prompt, const std::map<int, double>& touching,
                  const GateSettings::OrganVolumes& settings) {
  Gate gate{"organ_volumes", settings.action};
  gate.details = Json::object();
  Json outside = Json::array();
  size_t judged = 0;
  for (const auto& [id, facts] : organs) {
    if (voxels[id] == 0) continue;  // organs_present says so
    ++judged;
    const Limits limits = volume_limits(*facts, prompt.sex, settings.deviations);
    const double ml = static_cast<double>(voxels[id]) * mask.geometry.voxel_ml();
    const auto tumors = touching.find(id);
    const double with_tumors = ml + (tumors == touching.end() ? 0 : tumors->second);
    if (ml > limits.high || with_tumors < limits.low) outside.push_back(facts->label);
    gate.details[facts->label] = {{"ml", to_tenths(ml)},
                                  {"low_ml", to_tenths(limits.low)},
                                  {"high_ml", to_tenths(limits.high)}};
  }
  gate.penalty = static_cast<double>(outside.size());
  gate.wanted = {{"organs", judged}};
  gate.measured = {{"organs", judged - outside.size()}, {"outside", std::move(outside)}};
  return gate;
}

}  // namespace

std::vector<Gate> organ_gates(const Volume& mask, const Prompt& prompt,
                              const std::vector<FoundTumor>& tumors, const ImageGeometry& trained,
                              const Vocabulary& vocabulary, const GateSettings& settings) {
  constexpr int kAdult = 18;  // years; the published volumes are those of adults
  if (!sees_whole(mask.geometry, trained)) return {};
  const at::Tensor counts = count_labels(mask.data, vocabulary.size());
  const int64_t* voxels = counts.const_data_ptr<int64_t>();
  std::vector<Gate> gates;
  const auto& [present, present_voxels] = settings.organs_present;
  if (present != GateAction::kOff) {
    const auto organs = organs_of_size(present_voxels, mask.geometry, vocabulary);
    if (!organs.empty()) gates.push_back(presence_gate(organs, voxels, present));
  }
  const GateSettings::OrganVolumes& volumes = settings.organ_volumes;
  if (volumes.action != GateAction::kOff && prompt.age.value_or(kAdult) >= kAdult) {
    const auto organs = organs_of_size(volumes.min_voxels, mask.geometry, vocabulary);
    const auto touching = touching_tumors_ml(mask, tumors, vocabulary.size());
    if (!organs.empty()) {
      gates.push_back(volumes_gate(organs, voxels, mask, prompt, touching, volumes));
    }
  }
  return gates;
}

}  // namespace guidegen
