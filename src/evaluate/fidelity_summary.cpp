#include <cmath>
#include <limits>
#include <map>

#include "guidegen/evaluate/bootstrap.hpp"
#include "guidegen/evaluate/fidelity.hpp"

namespace guidegen {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// One row of all cases: figures by name, each with one value a case (NaN where a case lacks it).
struct Table {
  std::vector<std::string> names;  ///< in the order of the first case that has them
  std::map<std::string, std::vector<double>> values;

  void add(const FidelityRow& row, size_t at, size_t cases) {
    for (const auto& [name, value] : row.figures) {
      const auto [place, fresh] = values.try_emplace(name, cases, kNaN);
      if (fresh) names.push_back(name);
      place->second[at] = value;
    }
  }
};

double mean_over(const std::vector<double>& values, const std::vector<size_t>& draw) {
  double sum = 0;
  double count = 0;
  for (const size_t at : draw) {
    if (!std::isfinite(values[at])) continue;
    sum += values[at];
    count += 1;
  }
  return sum / count;  // NaN without any
}

std::vector<std::pair<std::string, Estimate>> estimates(const Table& table, size_t cases) {
  std::vector<size_t> all(cases);
  for (size_t i = 0; i < cases; ++i) all[i] = i;
  const auto means = [&](const std::vector<size_t>& draw) {
    std::vector<double> figures;
    for (const std::string& name : table.names) {
      figures.push_back(mean_over(table.values.at(name), draw));
    }
    return figures;
  };
  const std::vector<double> values = means(all);
  std::vector<std::pair<double, double>> intervals(values.size(), {kNaN, kNaN});
  if (cases > 1) intervals = bootstrap_intervals(cases, means);
  std::vector<std::pair<std::string, Estimate>> figures;
  for (size_t k = 0; k < table.names.size(); ++k) {
    Estimate estimate{values[k], intervals[k], 0};
    for (const double value : table.values.at(table.names[k])) {
      estimate.of += std::isfinite(value) ? 1 : 0;
    }
    if (estimate.of < 2) estimate.interval = {kNaN, kNaN};
    figures.emplace_back(table.names[k], estimate);
  }
  return figures;
}

/// Rows of one section over all cases, in the order in which they first appear.
class SectionRows {
 public:
  void add(const FidelitySection& section, size_t at, size_t cases) {
    for (const FidelityRow& row : section.rows) {
      const auto [table, fresh] = tables_.try_emplace(row.name);
      if (fresh) names_.push_back(row.name);
      table->second.add(row, at, cases);
    }
  }

  std::vector<FidelitySummaryRow> summary(size_t cases) const {
    std::vector<FidelitySummaryRow> rows;
    for (const std::string& name : names_) {
      rows.push_back({name, estimates(tables_.at(name), cases)});
    }
    return rows;
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, Table> tables_;
};

}  // namespace

FidelityReport summarize_fidelity(std::vector<FidelityCase> cases,
                                  const std::vector<Exposure>& windows) {
  FidelityReport report{windows, std::move(cases), {}};
  std::vector<std::string> names;
  std::map<std::string, SectionRows> sections;
  const size_t count = report.cases.size();
  for (size_t at = 0; at < count; ++at) {
    for (const FidelitySection& section : report.cases[at].sections) {
      const auto [rows, fresh] = sections.try_emplace(section.name);
      if (fresh) names.push_back(section.name);
      rows->second.add(section, at, count);
    }
  }
  for (const std::string& name : names) {
    report.summary.push_back({name, sections.at(name).summary(count)});
  }
  return report;
}

}  // namespace guidegen
