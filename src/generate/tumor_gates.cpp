#include <algorithm>
#include <map>
#include <optional>

#include "generate/mask_gates.hpp"

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

Gate organ_gate(const Tally& tally, const std::vector<FoundTumor>& tumors, int elsewhere,
                GateAction action) {
  Gate gate{"tumor_organ", action, 0, Json::array()};
  for (const auto& [organ, counts] : tally) {
    gate.wanted.push_back(name_of(organ));
    if (counts.found == 0) gate.penalty += 1;
  }
  gate.penalty += elsewhere;
  std::map<std::string, int> measured;
  for (const FoundTumor& tumor : tumors) ++measured[tumor.organ ? name_of(*tumor.organ) : "other"];
  for (const auto& [name, count] : measured) gate.measured[name] = count;
  return gate;
}

/// How far `found` is from `wanted`, which is a minimum unless `exact`.
int deviation(int wanted, int found, bool exact) {
  return exact ? std::abs(wanted - found) : std::max(0, wanted - found);
}

Gate count_gate(const Tally& tally, GateAction action) {
  Gate gate{"tumor_count", action};
  for (const auto& [organ, counts] : tally) {
    gate.wanted[name_of(organ)] = count_text(counts.wanted, counts.exact);
    gate.measured[name_of(organ)] = counts.found;
    gate.penalty += deviation(counts.wanted, counts.found, counts.exact);
  }
  return gate;
}

Gate position_gate(const Tally& tally, GateAction action) {
  Gate gate{"tumor_position", action};
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
  return gate;
}

}  // namespace

std::vector<Gate> tumor_gates(const Prompt& prompt, const std::vector<FoundTumor>& tumors,
                              const GateSettings& settings) {
  if (!prompt.tumors) return {};
  std::vector<Gate> gates;
  Tally tally = tally_requests(*prompt.tumors);
  const int elsewhere = add_found(tally, tumors);
  if (settings.tumor_organ != GateAction::kOff) {
    gates.push_back(organ_gate(tally, tumors, elsewhere, settings.tumor_organ));
  }
  if (settings.tumor_count != GateAction::kOff && !tally.empty()) {
    gates.push_back(count_gate(tally, settings.tumor_count));
  }
  const bool any_position =
      std::any_of(prompt.tumors->begin(), prompt.tumors->end(),
                  [](const TumorRequest& request) { return request.position.has_value(); });
  if (settings.tumor_position != GateAction::kOff && any_position) {
    gates.push_back(position_gate(tally, settings.tumor_position));
  }
  return gates;
}

}  // namespace guidegen
