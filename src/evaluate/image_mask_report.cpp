#include <sstream>

#include "evaluate/appearance_figures.hpp"
#include "evaluate/image_mask_tables.hpp"
#include "evaluate/report_words.hpp"
#include "guidegen/evaluate/image_mask.hpp"

namespace guidegen {
namespace {

Json json_of(const std::vector<OverlapSummary>& rows) {
  Json json = Json::object();
  for (const OverlapSummary& row : rows) {
    json[row.name] = {{"dice", to_json(row.dice)},
                      {"surface_dice", to_json(row.surface_dice)},
                      {"hd95_mm", to_json(row.hd95_mm)}};
  }
  return json;
}

Json json_of(const SegmentationSummary& seen) {
  Json tumors = Json::object();
  for (const DetectionSummary& row : seen.tumors) {
    tumors[row.name] = {{"detected", to_json(row.detected)}, {"dice", to_json(row.dice)}};
  }
  return {{"organ_dice", to_json(seen.organ_dice)},
          {"labels", json_of(seen.labels)},
          {"groups", json_of(seen.groups)},
          {"tumors", std::move(tumors)},
          {"false_tumors", to_json(seen.false_tumors)}};
}

Json json_of(const AppearanceSummary& summary) {
  Json organs = Json::object();
  for (const AppearanceRow& row : summary.rows) {
    organs[row.organ][row.phase] = to_json(row.agreement);
  }
  return {{"inside", to_json(summary.inside)}, {"organs", std::move(organs)}};
}

Json json_of(const std::map<std::string, Overlap>& overlaps) {
  Json json = Json::object();
  for (const auto& [name, overlap] : overlaps) {
    json[name] = {{"wanted_voxels", overlap.wanted_voxels},
                  {"found_voxels", overlap.found_voxels},
                  {"dice", number_or_null(overlap.dice)},
                  {"surface_dice", number_or_null(overlap.surface_dice)},
                  {"hd95_mm", number_or_null(overlap.hd95_mm)}};
  }
  return json;
}

Json json_of(const Resegmentation& seen) {
  Json tumors = Json::array();
  for (const TumorCheck& tumor : seen.tumors) {
    tumors.push_back({{"organ", tumor.organ ? Json(name_of(*tumor.organ)) : Json()},
                      {"diameter_mm", tumor.diameter_mm},
                      {"detected", tumor.detected},
                      {"dice", tumor.dice}});
  }
  return {{"labels", json_of(seen.labels)},
          {"groups", json_of(seen.groups)},
          {"tumors", std::move(tumors)},
          {"false_tumors", seen.false_tumors}};
}

Json json_of(const CaseAppearance& appearance) {
  Json organs = Json::object();
  for (const auto& [name, organ] : appearance.organs) {
    organs[name] = {{"voxels", organ.voxels}, {"inside_voxels", organ.inside_voxels}};
    for (const AppearanceFigure& figure : kAppearanceFigures) {
      organs[name][figure.key] = number_or_null(organ.*figure.value);
    }
  }
  Json tumors = Json::array();
  for (const TumorAppearance& tumor : appearance.tumors) {
    tumors.push_back({{"organ", name_of(tumor.organ)},
                      {"diameter_mm", tumor.diameter_mm},
                      {"shell_voxels", tumor.shell_voxels},
                      {"inside_hu", number_or_null(tumor.inside_hu)},
                      {"shell_hu", number_or_null(tumor.shell_hu)},
                      {"contrast_hu", number_or_null(tumor.contrast_hu)}});
  }
  return {{"contrast", appearance.phase ? Json(name_of(*appearance.phase)) : Json()},
          {"organs", std::move(organs)},
          {"tumors", std::move(tumors)}};
}

}  // namespace

std::string to_table(const ImageMaskReport& report) {
  std::ostringstream out;
  out << report.cases.size() << " cases, " << report.reference_cases
      << " reference cases. In parentheses, 95 % intervals over prompts.\n";
  for (const ReportTable& table : tables_of(report)) out << '\n' << in_text(table);
  return out.str();
}

Json to_json(const ImageMaskReport& report) {
  Json json = {{"reference_cases", report.reference_cases},
               {"tolerance_mm", report.tolerance_mm > 0 ? Json(report.tolerance_mm) : Json()}};
  Json& summary = json["summary"] = Json::object();
  if (report.segmentation) summary["segmentation"] = json_of(*report.segmentation);
  if (report.reference_cases > 0) {
    for (const AppearanceSummary& figure : report.appearance) {
      summary["appearance"][figure.figure] = json_of(figure);
    }
    summary["tumor_contrast"] = Json::object();
    for (const AppearanceRow& row : report.contrast) {
      summary["tumor_contrast"][row.organ] = to_json(row.agreement);
    }
  }
  json["cases"] = Json::array();
  for (const ImageMaskCase& item : report.cases) {
    Json entry = {{"id", item.id}};
    entry.update(json_of(item.appearance));
    if (item.segmentation) entry["segmentation"] = json_of(*item.segmentation);
    json["cases"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace guidegen
