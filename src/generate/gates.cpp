#include "guidegen/generate/gates.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "guidegen/anatomy/organ_facts.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

/// Requests for one organ, and what was found in it.
struct OrganTally {
  int wanted = 0;     ///< sum of counts; an open count adds one
  bool exact = true;  ///< false when some count is open
  bool all_have_positions = true;
  std::map<TumorPosition, int> wanted_at;
  std::map<TumorPosition, bool> exact_at;
  int found = 0;
  std::map<TumorPosition, int> found_at;
};

using Tally = std::map<TumorOrgan, OrganTally>;

Tally tally_requests(const std::vector<TumorRequest>& requests) {
  Tally tally;
  for (const TumorRequest& request : requests) {
    OrganTally& organ = tally[request.organ];
    const int count = request.count.value_or(1);
    organ.wanted += count;
    organ.exact = organ.exact && request.count.has_value();
    if (!request.position) {
      organ.all_have_positions = false;
      continue;
    }
    organ.wanted_at[*request.position] += count;
    const auto [exact, inserted] =
        organ.exact_at.emplace(*request.position, request.count.has_value());
    if (!inserted) exact->second = exact->second && request.count.has_value();
  }
  return tally;
}

/// Adds the tumors found to the organs asked for; returns how many lie in no such organ.
int add_found(Tally& tally, const std::vector<FoundTumor>& tumors) {
  int elsewhere = 0;
  for (const FoundTumor& tumor : tumors) {
    const auto organ = tumor.organ ? tally.find(*tumor.organ) : tally.end();
    if (organ == tally.end()) {
      ++elsewhere;
      continue;
    }
    ++organ->second.found;
    if (tumor.position) ++organ->second.found_at[*tumor.position];
  }
  return elsewhere;
}

std::string count_text(int count, bool exact) {
  return exact ? std::to_string(count) : "at least " + std::to_string(count);
}

Gate finished(Gate gate) {
  gate.passed = gate.penalty == 0;
  return gate;
}

Gate organ_gate(const Tally& tally, const std::vector<FoundTumor>& tumors, int elsewhere) {
  Gate gate{"tumor_organ", true, 0, Json::array(), Json::object()};
  for (const auto& [organ, counts] : tally) {
    gate.wanted.push_back(name_of(organ));
    if (counts.found == 0) gate.penalty += 1;
  }
  gate.penalty += elsewhere;
  std::map<std::string, int> measured;
  for (const FoundTumor& tumor : tumors) ++measured[tumor.organ ? name_of(*tumor.organ) : "other"];
  for (const auto& [name, count] : measured) gate.measured[name] = count;
  return finished(std::move(gate));
}

/// How far `found` is from `wanted`, which is a minimum unless `exact`.
int deviation(int wanted, int found, bool exact) {
  return exact ? std::abs(wanted - found) : std::max(0, wanted - found);
}

Gate count_gate(const Tally& tally) {
  Gate gate{"tumor_count", true, 0, Json::object(), Json::object()};
  for (const auto& [organ, counts] : tally) {
    gate.wanted[name_of(organ)] = count_text(counts.wanted, counts.exact);
    gate.measured[name_of(organ)] = counts.found;
    gate.penalty += deviation(counts.wanted, counts.found, counts.exact);
  }
  return finished(std::move(gate));
}

Gate position_gate(const Tally& tally) {
  Gate gate{"tumor_position", true, 0, Json::object(), Json::object()};
  for (const auto& [organ, counts] : tally) {
    const auto key = [&name = organ](TumorPosition position) {
      return name_of(name) + "/" + name_of(position);
    };
    int at_wanted_positions = 0;
    for (const auto& [position, wanted] : counts.wanted_at) {
      const bool exact = counts.exact_at.at(position) && counts.all_have_positions;
      const auto found = counts.found_at.find(position);
      const int measured = found == counts.found_at.end() ? 0 : found->second;
      gate.wanted[key(position)] = count_text(wanted, exact);
      gate.penalty += deviation(wanted, measured, exact);
      at_wanted_positions += measured;
    }
    if (counts.wanted_at.empty()) continue;
    for (const auto& [position, found] : counts.found_at) gate.measured[key(position)] = found;
    if (counts.all_have_positions) gate.penalty += counts.found - at_wanted_positions;
  }
  return finished(std::move(gate));
}

Gate presence_gate(const Volume& mask, const Vocabulary& vocabulary,
                   const std::vector<int>& required) {
  Gate gate{"organs_present", true, 0, Json::object(), Json::object()};
  const at::Tensor counts = count_labels(mask.data, vocabulary.size());
  const int64_t* voxels = counts.const_data_ptr<int64_t>();
  Json missing = Json::array();
  for (const int id : required) {
    if (voxels[id] == 0) missing.push_back(vocabulary.label(id).name);
  }
  gate.penalty = static_cast<double>(missing.size());
  gate.wanted = {{"labels", required.size()}};
  gate.measured = {{"labels", required.size() - missing.size()}, {"missing", std::move(missing)}};
  return finished(std::move(gate));
}

}  // namespace

bool GateReport::passed() const {
  return std::all_of(gates.begin(), gates.end(), [](const Gate& gate) { return gate.passed; });
}

double GateReport::penalty() const {
  double sum = 0;
  for (const Gate& gate : gates) sum += gate.penalty;
  return sum;
}

GateReport check_mask(const Volume& mask, const Prompt& prompt, const Vocabulary& vocabulary,
                      const std::vector<int>& required) {
  GateReport report;
  report.tumors = find_tumors(mask, vocabulary);
  if (prompt.tumors) {
    Tally tally = tally_requests(*prompt.tumors);
    const int elsewhere = add_found(tally, report.tumors);
    report.gates.push_back(organ_gate(tally, report.tumors, elsewhere));
    if (!tally.empty()) report.gates.push_back(count_gate(tally));
    const bool any_position =
        std::any_of(prompt.tumors->begin(), prompt.tumors->end(),
                    [](const TumorRequest& request) { return request.position.has_value(); });
    if (any_position) report.gates.push_back(position_gate(tally));
  }
  if (!required.empty()) report.gates.push_back(presence_gate(mask, vocabulary, required));
  return report;
}

std::vector<int> required_labels(const ImageGeometry& grid, const ImageGeometry& trained,
                                 const Vocabulary& vocabulary) {
  constexpr double kEnoughVoxels = 64;  // a 4-cube
  for (size_t axis = 0; axis < 3; ++axis) {
    const double seen = static_cast<double>(grid.size[axis]) * grid.spacing[axis];
    const double whole = static_cast<double>(trained.size[axis]) * trained.spacing[axis];
    if (seen < 0.9 * whole) return {};
  }
  std::vector<int> required;
  for (const OrganFacts& facts : organ_facts()) {
    const std::optional<int> id = vocabulary.find(facts.label);
    if (!id || *id == vocabulary.tumor() || *id == vocabulary.background()) continue;
    const double smaller = std::min(facts.volume_ml_male, facts.volume_ml_female);
    if (smaller >= kEnoughVoxels * grid.voxel_ml()) required.push_back(*id);
  }
  std::sort(required.begin(), required.end());
  return required;
}

Json to_json(const Gate& gate) {
  return {{"name", gate.name},
          {"passed", gate.passed},
          {"wanted", gate.wanted},
          {"measured", gate.measured}};
}

Json to_json(const FoundTumor& tumor) {
  return {{"organ", tumor.organ ? Json(name_of(*tumor.organ)) : Json()},
          {"position", tumor.position ? Json(name_of(*tumor.position)) : Json()},
          {"diameter_mm", tumor.component.diameter_mm},
          {"volume_ml", tumor.component.volume_ml},
          {"voxels", tumor.component.voxels},
          {"center_mm", tumor.component.centroid_mm}};
}

}  // namespace guidegen
