#include <cmath>
#include <iomanip>
#include <sstream>

#include "evaluate/report_words.hpp"
#include "guidegen/evaluate/anatomy.hpp"

namespace guidegen {
namespace {

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string fixed(const std::optional<double>& value, int digits) {
  return value ? fixed(*value, digits) : "-";
}

std::string range(const Distribution& values, int digits) {
  return fixed(values.low, digits) + "-" + fixed(values.high, digits);
}

Json to_json(const Distribution& values) {
  return {{"count", values.count},
          {"median", number_or_null(values.median)},
          {"p5", number_or_null(values.low)},
          {"p95", number_or_null(values.high)},
          {"deviation", number_or_null(values.deviation)}};
}

Json to_json(const AnatomyCheck& check) {
  return {{"name", check.name},
          {"passed", check.passed()},
          {"measured", number_or_null(check.measured)},
          {"low", number_or_null(check.low)},
          {"high", number_or_null(check.high)}};
}

Json to_json(const OrganAnatomy& organ) {
  Json json = Json::object();
  json["present"] = to_json(organ.present);
  json["volume_ml"] = to_json(organ.volume_ml);
  json["reference_volume_ml"] = organ.reference_ml ? to_json(*organ.reference_ml) : Json();
  json["median_ratio"] = number_or_null(organ.median_ratio);
  json["wasserstein"] = number_or_null(organ.distance);
  json["largest_share"] = to_json(organ.largest_share);
  json["surface_ratio"] = to_json(organ.surface_ratio);
  json["checks"] = Json::array();
  for (const AnatomyCheck& check : organ.checks) json["checks"].push_back(to_json(check));
  return json;
}

Json to_json(const OrderAnatomy& order) {
  return {{"first", order.first},
          {"is", order.relation},
          {"second", order.second},
          {"holds", to_json(order.holds)},
          {"check", order.holds.total > 0 ? to_json(order.check) : Json()}};
}

std::string score(const Proportion& checks) {
  return std::to_string(checks.hits) + " of " + std::to_string(checks.total) + " (" +
         fixed(100 * checks.share(), 0) + " %)";
}

void add_failures(std::ostringstream& out, const AnatomyReport& report) {
  const auto line = [&out](const std::string& what, const AnatomyCheck& check) {
    if (check.passed()) return;
    out << "failed: " << what << ": " << check.name << " " << fixed(check.measured, 2)
        << ", expected " << fixed(check.low, 2)
        << (std::isfinite(check.high) ? " to " + fixed(check.high, 2) : " or more") << '\n';
  };
  for (const OrganAnatomy& organ : report.organs) {
    for (const AnatomyCheck& check : organ.checks) line(organ.label, check);
  }
  for (const OrderAnatomy& order : report.order) {
    if (order.holds.total == 0) continue;
    line(order.first + " " + order.relation + " " + order.second, order.check);
  }
}

}  // namespace

std::string to_table(const AnatomyReport& report) {
  std::ostringstream out;
  out << report.masks << " masks, ";
  if (report.reference_masks > 0) {
    out << "against " << report.reference_masks << " of the reference\n";
  } else {
    out << "against published volumes\n";
  }
  const auto row = [&out](const std::vector<std::string>& cells) {
    constexpr std::array<int, 8> kWidths = {22, 9, 11, 14, 7, 7, 11, 9};
    for (size_t i = 0; i < cells.size(); ++i) {
      out << (i == 0 ? std::left : std::right) << std::setw(kWidths[i]) << cells[i];
    }
    out << '\n';
  };
  row({"organ", "present", "median ml", "5-95 % ml", "ratio", "W1", "connected", "surface"});
  for (const OrganAnatomy& organ : report.organs) {
    row({organ.label, fixed(100 * organ.present.share(), 0) + " %",
         fixed(organ.volume_ml.median, 1), range(organ.volume_ml, 1), fixed(organ.median_ratio, 2),
         fixed(organ.distance, 2), fixed(organ.largest_share.median, 3),
         fixed(organ.surface_ratio.median, 2)});
  }
  add_failures(out, report);
  out << "organ checks passed: " << score(report.organ_checks())
      << "; pairs in order: " << score(report.order_checks()) << '\n';
  return out.str();
}

Json to_json(const AnatomyReport& report) {
  Json json = Json::object();
  json["masks"] = report.masks;
  json["reference_masks"] = report.reference_masks;
  json["organ_checks"] = to_json(report.organ_checks());
  json["order_checks"] = to_json(report.order_checks());
  json["organs"] = Json::object();
  for (const OrganAnatomy& organ : report.organs) json["organs"][organ.label] = to_json(organ);
  json["order"] = Json::array();
  for (const OrderAnatomy& order : report.order) json["order"].push_back(to_json(order));
  return json;
}

}  // namespace guidegen
