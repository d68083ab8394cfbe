#include <algorithm>
#include <iomanip>
#include <sstream>

#include "evaluate/report_words.hpp"
#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Columns as wide as their widest cell; the first aligned to the left, the others to the right.
std::string aligned(const Rows& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::ostringstream out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out << (i == 0 ? std::left : std::right) << std::setw(static_cast<int>(widths[i])) << row[i]
          << (i + 1 < row.size() ? "  " : "\n");
    }
  }
  return out.str();
}

void add_summary(Rows& rows, const std::string& name, const AnswerSummary& summary) {
  std::vector<std::string>& row = rows.emplace_back(std::vector<std::string>{name});
  for (std::string& cell : summary_cells(summary)) row.push_back(std::move(cell));
}

std::string summary_table(const std::string& head, Rows rows) {
  std::vector<std::string> heads = summary_heads();
  heads.insert(heads.begin(), head);
  rows.insert(rows.begin(), std::move(heads));
  return aligned(rows);
}

/// Zeros are dots, so that the others stand out.
std::string matrix_table(const std::vector<std::string>& row_names,
                         const std::vector<std::string>& columns,
                         const std::vector<std::vector<int64_t>>& cells) {
  Rows rows{{""}};
  rows.front().insert(rows.front().end(), columns.begin(), columns.end());
  for (size_t i = 0; i < cells.size(); ++i) {
    std::vector<std::string>& row = rows.emplace_back(std::vector<std::string>{row_names[i]});
    for (const int64_t count : cells[i]) row.push_back(count == 0 ? "." : std::to_string(count));
  }
  return aligned(rows);
}

std::string subgroup_tables(const std::vector<Subgroup>& groups) {
  std::string text;
  for (size_t first = 0; first < groups.size();) {
    Rows rows;
    size_t next = first;
    for (; next < groups.size() && groups[next].by == groups[first].by; ++next) {
      add_summary(rows, groups[next].name, groups[next].summary);
    }
    text += "\n" + summary_table("by " + groups[first].by, std::move(rows));
    first = next;
  }
  return text;
}

std::string count_text(const CountTable& table) {
  if (table.empty()) return "";
  const CountMatrix matrix = count_matrix(table);
  std::vector<std::string> names;
  for (const int64_t asked : matrix.asked) names.push_back(std::to_string(asked));
  return "\ntumors of an organ asked for (rows) and found (columns), by case\n" +
         matrix_table(names, matrix.columns, matrix.cells);
}

Json to_json(const FoundTumor& tumor) {
  Json json = Json::object();
  json["organ"] = tumor.organ ? Json(name_of(*tumor.organ)) : Json();
  json["position"] = tumor.position ? Json(name_of(*tumor.position)) : Json();
  json["diameter_mm"] = std::round(tumor.component.diameter_mm * 1e4) / 1e4;
  json["voxels"] = tumor.component.voxels;
  json["centroid_mm"] = tumor.component.centroid_mm;
  return json;
}

Json to_json(const CaseAnswer& answer, const AskedTumor& tumor) {
  Json json = Json::object();
  json["organ"] = name_of(tumor.organ);
  json["position"] = tumor.position ? Json(name_of(*tumor.position)) : Json();
  json["size_mm"] = tumor.size_mm ? Json(*tumor.size_mm) : Json();
  json["found"] = tumor.found ? Json(*tumor.found) : Json();
  json["organ_right"] = answer.organ_right(tumor);
  json["position_right"] = tumor.position ? Json(answer.position_right(tumor)) : Json();
  return json;
}

Json to_json(const CaseAnswer& answer) {
  Json json = Json::object();
  json["id"] = answer.id;
  json["sex"] = answer.prompt.sex ? Json(name_of(*answer.prompt.sex)) : Json();
  const Json prompt = to_json(answer.prompt);
  json["requested"] = answer.judged ? prompt.at("tumors") : Json();
  json["found"] = Json::array();
  for (const FoundTumor& tumor : answer.found) json["found"].push_back(to_json(tumor));
  json["asked"] = Json::array();
  for (const AskedTumor& tumor : answer.asked) json["asked"].push_back(to_json(answer, tumor));
  json["organs"] = Json::object();
  for (const auto& [organ, count] : answer.organs) {
    Json& entry = json["organs"][name_of(organ)];
    entry["requested"] = count.requested;
    entry["found"] = count.found;
    entry["count_exact"] = count.count_open ? Json() : Json(count.found == count.requested);
  }
  json["stray"] = answer.judged ? Json(answer.stray()) : Json();
  return json;
}

}  // namespace

std::string to_table(const MaskPromptReport& report) {
  const auto judged = std::count_if(report.cases.begin(), report.cases.end(),
                                    [](const CaseAnswer& answer) { return answer.judged; });
  std::ostringstream out;
  out << report.cases.size() << " cases, " << judged
      << " of them with a prompt about tumors; shares are of what was asked for\n\n";
  Rows rows;
  for (const auto& [organ, summary] : report.by_organ) add_summary(rows, name_of(organ), summary);
  add_summary(rows, "all", report.all);
  out << summary_table("tumors in", std::move(rows)) << subgroup_tables(report.subgroups);
  out << "\ntumors where none was asked for: " << in_percent(report.all.false_tumors)
      << " cases\ntumors in organs that were not named: " << in_percent(report.all.stray)
      << " found\n";
  for (const PositionMatrix& matrix : report.positions) {
    out << "\n"
        << name_of(matrix.organ) << ": asked for (rows) and found (columns), right "
        << in_percent(matrix.right) << '\n'
        << matrix_table(matrix.row_names(), matrix.column_names(), matrix.cells);
  }
  out << count_text(report.counts) << "\n" << kIntervalNote << "\n";
  return out.str();
}

Json to_json(const MaskPromptReport& report) {
  Json json = Json::object();
  json["note"] = std::string(kIntervalNote);
  json["all"] = to_json(report.all);
  json["by_organ"] = Json::object();
  for (const auto& [organ, summary] : report.by_organ) {
    json["by_organ"][name_of(organ)] = to_json(summary);
  }
  if (!report.subgroups.empty()) json["subgroups"] = Json::object();
  for (const Subgroup& group : report.subgroups) {
    json["subgroups"][group.by][group.name] = to_json(group.summary);
  }
  json["false_tumors"] = to_json(report.all.false_tumors);
  json["stray"] = to_json(report.all.stray);
  json["positions"] = Json::object();
  for (const PositionMatrix& matrix : report.positions) {
    json["positions"][name_of(matrix.organ)] = to_json(matrix);
  }
  json["counts"] = to_json(report.counts);
  json["cases"] = Json::array();
  for (const CaseAnswer& answer : report.cases) json["cases"].push_back(to_json(answer));
  return json;
}

}  // namespace guidegen
