#include "guidegen/generate/gates.hpp"

#include <algorithm>

#include "generate/mask_gates.hpp"

namespace guidegen {

bool GateReport::passed() const { return penalty() == 0; }

double GateReport::penalty() const {
  double sum = 0;
  for (const Gate& gate : gates) sum += gate.action == GateAction::kRetry ? gate.penalty : 0;
  return sum;
}

GateReport check_mask(const Volume& mask, const Prompt& prompt, const ImageGeometry& trained,
                      const Vocabulary& vocabulary, const GateSettings& settings) {
  GateReport report;
  report.tumors = find_tumors(mask, vocabulary);
  report.gates = tumor_gates(prompt, report.tumors, settings);
  std::vector<Gate> organs =
      organ_gates(mask, prompt, report.tumors, trained, vocabulary, settings);
  std::move(organs.begin(), organs.end(), std::back_inserter(report.gates));
  return report;
}

Json to_json(const Gate& gate) {
  Json json = {{"name", gate.name},
               {"action", name_of(gate.action)},
               {"passed", gate.passed()},
               {"wanted", gate.wanted},
               {"measured", gate.measured}};
  if (!gate.details.is_null()) json["details"] = gate.details;
  return json;
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
