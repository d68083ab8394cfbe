#include "guidegen/generate/gate_settings.hpp"

#include "guidegen/anatomy/organ_facts.hpp"
#include "guidegen/core/resources.hpp"

namespace guidegen {
namespace {

constexpr int64_t kMostVoxels = int64_t{1} << 30;

GateAction read_action(JsonObject& gate, GateAction fallback) {
  const std::string name = gate.choice("action", {"off", "report", "retry"}, name_of(fallback));
  if (name == "off") return GateAction::kOff;
  return name == "report" ? GateAction::kReport : GateAction::kRetry;
}

void read_voxels(JsonObject& gate, int64_t& voxels) {
  voxels = gate.integer("min_voxels", 1, kMostVoxels, voxels);
}

void read_labels(JsonObject& gate, std::vector<std::string>& labels) {
  if (!gate.has("labels")) return;
  labels = gate.texts("labels");
  std::vector<std::string> known;
  for (const OrganFacts& facts : organ_facts()) known.push_back(facts.label);
  for (const std::string& label : labels) {
    if (std::find(known.begin(), known.end(), label) != known.end()) continue;
    const std::string near = nearest_match(label, known);
    gate.fail("labels", "nothing is published about the density of '" + label + "'" +
                            (near.empty() ? "" : ", did you mean '" + near + "'?"));
  }
}

/// Reads gate `name` of the document, if it is there.
template <typename Read>
void read_gate(JsonObject& root, const std::string& name, GateAction& action, Read read) {
  if (!root.has(name)) return;
  JsonObject gate = root.object(name);
  action = read_action(gate, action);
  read(gate);
  gate.finish();
}

GateSettings read(const Json& document, const std::string& source, GateSettings settings) {
  JsonObject root(document, source);
  root.choice("format", {"guidegen-gates"});
  root.integer("version", 1, 1);
  const auto nothing_more = [](JsonObject&) {};
  read_gate(root, "tumor_organ", settings.tumor_organ, nothing_more);
  read_gate(root, "tumor_count", settings.tumor_count, nothing_more);
  read_gate(root, "tumor_position", settings.tumor_position, nothing_more);
  auto& present = settings.organs_present;
  read_gate(root, "organs_present", present.action,
            [&](JsonObject& gate) { read_voxels(gate, present.min_voxels); });
  auto& volumes = settings.organ_volumes;
  read_gate(root, "organ_volumes", volumes.action, [&](JsonObject& gate) {
    read_voxels(gate, volumes.min_voxels);
    volumes.deviations = gate.number("deviations", 0.1, 100, volumes.deviations);
  });
  auto& hu = settings.organ_hu;
  read_gate(root, "organ_hu", hu.action, [&](JsonObject& gate) {
    read_voxels(gate, hu.min_voxels);
    hu.deviations = gate.number("deviations", 0.1, 100, hu.deviations);
    read_labels(gate, hu.labels);
  });
  auto& visible = settings.tumor_visible;
  read_gate(root, "tumor_visible", visible.action, [&](JsonObject& gate) {
    read_voxels(gate, visible.min_voxels);
    visible.min_contrast_hu = gate.number("min_contrast_hu", 0, 2000, visible.min_contrast_hu);
  });
  root.finish();
  return settings;
}

Json action_json(GateAction action) { return {{"action", name_of(action)}}; }

}  // namespace

GateSettings GateSettings::shipped() {
  const std::string name = "generate/gates.json";
  return read(parse_json(resource(name), name), name, {});
}

GateSettings GateSettings::from_json(const Json& document, const std::string& source) {
  return read(document, source, shipped());
}

GateSettings GateSettings::load(const std::filesystem::path& path) {
  return from_json(read_json_file(path), path.string());
}

std::string name_of(GateAction action) {
  if (action == GateAction::kOff) return "off";
  return action == GateAction::kReport ? "report" : "retry";
}

Json to_json(const GateSettings& settings) {
  const auto& [action, min_voxels, deviations, labels] = settings.organ_hu;
  return {{"format", "guidegen-gates"},
          {"version", 1},
          {"tumor_organ", action_json(settings.tumor_organ)},
          {"tumor_count", action_json(settings.tumor_count)},
          {"tumor_position", action_json(settings.tumor_position)},
          {"organs_present",
           {{"action", name_of(settings.organs_present.action)},
            {"min_voxels", settings.organs_present.min_voxels}}},
          {"organ_volumes",
           {{"action", name_of(settings.organ_volumes.action)},
            {"min_voxels", settings.organ_volumes.min_voxels},
            {"deviations", settings.organ_volumes.deviations}}},
          {"organ_hu",
           {{"action", name_of(action)},
            {"min_voxels", min_voxels},
            {"deviations", deviations},
            {"labels", labels}}},
          {"tumor_visible",
           {{"action", name_of(settings.tumor_visible.action)},
            {"min_voxels", settings.tumor_visible.min_voxels},
            {"min_contrast_hu", settings.tumor_visible.min_contrast_hu}}}};
}

}  // namespace guidegen
