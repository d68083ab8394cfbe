#include <algorithm>
#include <cmath>
#include <sstream>

#include "evaluate/fidelity_cells.hpp"
#include "evaluate/report_words.hpp"
#include "guidegen/evaluate/fidelity.hpp"
#include "guidegen/volume/tissue_classes.hpp"

namespace guidegen {
namespace {

Json json_of(double value) { return number_or_null(value); }

/// Counts as whole numbers.
Json json_of(const std::string& name, double value) {
  const bool count = name == "voxels" || name == "patches" || name == "patch_voxels";
  return count ? Json(std::llround(value)) : json_of(value);
}

Json json_of(const Estimate& estimate) {
  return {{"mean", number_or_null(estimate.value)},
          {"low", number_or_null(estimate.interval.first)},
          {"high", number_or_null(estimate.interval.second)},
          {"cases", estimate.of}};
}

Json json_of(const std::string&, const Estimate& estimate) { return json_of(estimate); }

/// Figures by name; "soft_tissue/ssim_3d" goes to {"windows": {"soft_tissue": {"ssim_3d"}}}.
template <typename Row>
Json json_of_row(const Row& row) {
  Json json = Json::object();
  for (const auto& [name, value] : row.figures) {
    const size_t slash = name.find('/');
    if (slash == std::string::npos) {
      json[name] = json_of(name, value);
    } else {
      json["windows"][name.substr(0, slash)][name.substr(slash + 1)] = json_of(value);
    }
  }
  return json;
}

template <typename Section>
void add_sections(const std::vector<Section>& sections, Json& json) {
  for (const Section& section : sections) {
    json[section.name] = Json::object();
    for (const auto& row : section.rows) json[section.name][row.name] = json_of_row(row);
  }
}

Json json_of(const FidelityCase& measured) {
  Json json = {{"id", measured.id}};
  add_sections(measured.sections, json);
  if (measured.noise.empty()) return json;
  Json& spectra = json["noise_spectra"] = Json::object();
  for (const NoiseComparison& entry : measured.noise) {
    spectra[entry.label] = {{"frequency_per_mm", entry.reference.frequency_per_mm},
                            {"reference_hu2_mm2", entry.reference.power},
                            {"reconstruction_hu2_mm2", entry.reconstruction.power}};
  }
  return json;
}

}  // namespace

std::string to_table(const FidelityReport& report) {
  std::ostringstream out;
  if (report.cases.size() == 1) {
    out << "case " << report.cases.front().id << '\n';
  } else {
    out << report.cases.size() << " cases: means, in parentheses 95 % bootstrap intervals\n";
  }
  for (const FidelitySummary& section : report.summary) {
    if (section.rows.empty()) continue;
    const ReportTable cells = cells_of(section, report.windows);
    out << '\n' << in_text(cells);
  }
  return out.str();
}

Json to_json(const FidelityReport& report) {
  Json json = Json::object();
  json["windows"] = to_json(report.windows);
  for (const TissueClass& tissue : tissue_classes()) {
    json["tissue_classes"][tissue.name] = {{"low_hu", number_or_null(tissue.low_hu)},
                                           {"high_hu", number_or_null(tissue.high_hu)}};
  }
  json["summary"] = Json::object();
  add_sections(report.summary, json["summary"]);
  json["cases"] = Json::array();
  for (const FidelityCase& measured : report.cases) json["cases"].push_back(json_of(measured));
  return json;
}

}  // namespace guidegen
