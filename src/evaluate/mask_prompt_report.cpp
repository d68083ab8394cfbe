#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

/// " 93 % (81-98) of 42"; "-" where nothing was asked.
std::string in_percent(const Proportion& proportion) {
  if (proportion.total == 0) return "-";
  const auto [low, high] = proportion.interval();
  std::ostringstream out;
  out << std::fixed << std::setprecision(0) << 100 * proportion.share() << " % (" << 100 * low
      << "-" << 100 * high << ") of " << proportion.total;
  return out.str();
}

std::string correlation_text(const AnswerSummary& summary) {
  const double correlation = summary.size_correlation();
  if (!std::isfinite(correlation)) return "-";
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << correlation << " of " << summary.found_mm.size();
  return out.str();
}

void add_row(std::ostringstream& out, const std::string& name, const AnswerSummary& summary) {
  out << std::left << std::setw(10) << name << std::right << std::setw(24)
      << in_percent(summary.organ) << std::setw(24) << in_percent(summary.position) << std::setw(24)
      << in_percent(summary.count) << std::setw(14) << correlation_text(summary) << '\n';
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json to_json(const AnswerSummary& summary) {
  Json json = Json::object();
  json["organ"] = to_json(summary.organ);
  json["position"] = to_json(summary.position);
  json["count"] = to_json(summary.count);
  json["size_spearman"] = number_or_null(summary.size_correlation());
  json["size_pairs"] = summary.found_mm.size();
  return json;
}

Json to_json(const FoundTumor& tumor) {
  Json json = Json::object();
  json["organ"] = tumor.organ ? Json(name_of(*tumor.organ)) : Json();
  json["position"] = tumor.position ? Json(name_of(*tumor.position)) : Json();
  json["diameter_mm"] = std::round(tumor.component.diameter_mm * 10) / 10;
  json["voxels"] = tumor.component.voxels;
  json["centroid_mm"] = tumor.component.centroid_mm;
  return json;
}

Json to_json(const CaseAnswer& answer) {
  Json json = Json::object();
  json["id"] = answer.id;
  const Json prompt = to_json(answer.prompt);
  json["requested"] = answer.judged ? prompt.at("tumors") : Json();
  json["found"] = Json::array();
  for (const FoundTumor& tumor : answer.found) json["found"].push_back(to_json(tumor));
  json["organs"] = Json::object();
  for (const auto& [organ, organ_answer] : answer.organs) {
    Json& entry = json["organs"][name_of(organ)];
    entry["requested"] = organ_answer.requested;
    entry["found"] = organ_answer.found;
    entry["position"] = to_json(organ_answer.position);
    entry["count_exact"] =
        organ_answer.count_open ? Json() : Json(organ_answer.found == organ_answer.requested);
  }
  json["stray"] = answer.stray;
  return json;
}

}  // namespace

std::string to_table(const MaskPromptReport& report) {
  const auto judged = std::count_if(report.cases.begin(), report.cases.end(),
                                    [](const CaseAnswer& answer) { return answer.judged; });
  std::ostringstream out;
  out << report.cases.size() << " cases, " << judged
      << " of them with a prompt about tumors; share (95 % interval) of asked\n";
  out << std::left << std::setw(10) << "organ" << std::right << std::setw(24) << "organ right"
      << std::setw(24) << "position right" << std::setw(24) << "count exact" << std::setw(14)
      << "size rank r" << '\n';
  for (const auto& [organ, summary] : report.by_organ) add_row(out, name_of(organ), summary);
  add_row(out, "all", report.all);
  out << "tumors where none was asked for: " << in_percent(report.false_tumors) << " cases\n";
  out << "tumors in organs that were not named: " << in_percent(report.stray) << " found\n";
  return out.str();
}

Json to_json(const MaskPromptReport& report) {
  Json json = Json::object();
  json["all"] = to_json(report.all);
  json["by_organ"] = Json::object();
  for (const auto& [organ, summary] : report.by_organ) {
    json["by_organ"][name_of(organ)] = to_json(summary);
  }
  json["false_tumors"] = to_json(report.false_tumors);
  json["stray"] = to_json(report.stray);
  json["cases"] = Json::array();
  for (const CaseAnswer& answer : report.cases) json["cases"].push_back(to_json(answer));
  return json;
}

}  // namespace guidegen
