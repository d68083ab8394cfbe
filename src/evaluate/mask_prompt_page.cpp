#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "evaluate/report_words.hpp"
#include "guidegen/core/html.hpp"
#include "guidegen/evaluate/mask_prompt.hpp"

namespace guidegen {
namespace {

constexpr const char* kStyle = R"css(
main { max-width: 1360px; margin: 0 auto; padding: 20px 24px 48px; }
h1 { font-size: 22px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 2px; }
p { margin: 0 0 12px; color: var(--soft); font-size: 14px; max-width: 76ch; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 16px; margin: 0 0 16px; overflow-x: auto; }
.matrices { display: grid; gap: 16px; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 580px), 1fr)); }
.matrices section { margin: 0; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px 4px 0; text-align: left; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
.figures td, .figures tbody th { border-top: 1px solid var(--line); }
.figures tbody th { color: var(--ink); }
.matrix td { text-align: center; padding: 5px 2px; min-width: 42px; border: 2px solid var(--card);
  background: color-mix(in srgb, var(--tone) calc(var(--share) * 75%), var(--page)); }
.matrix td { --tone: #d9822b; }
.matrix td.right { --tone: #2f9e58; outline: 1px solid var(--soft); outline-offset: -2px; }
.matrix td.extra { --tone: #7d8590; }
.matrix thead th { text-align: center; vertical-align: bottom; white-space: normal; padding: 4px 3px;
  font-size: 12px; max-width: 76px; }
.matrix tbody th { padding-right: 8px; font-size: 12px; }
.matrix small { display: block; font-size: 11px; line-height: 1.1; opacity: 0.8; }
.matrix td.zero { color: var(--soft); }
)css";

std::string header_row(const std::string& corner, const std::vector<std::string>& names) {
  std::string html = "<thead><tr><th>" + escape_html(corner) + "</th>";
  for (const std::string& name : names) html += "<th scope=\"col\">" + escape_html(name) + "</th>";
  return html + "</tr></thead>\n";
}

std::string summary_row(const std::string& name, const AnswerSummary& summary) {
  std::string html = "<tr><th scope=\"row\">" + escape_html(name) + "</th>";
  for (const std::string& cell : summary_cells(summary)) {
    html += "<td>" + escape_html(cell) + "</td>";
  }
  return html + "</tr>\n";
}

std::string summary_table(const std::string& corner, const std::string& rows) {
  return "<table class=\"figures\">" + header_row(corner, summary_heads()) + "<tbody>\n" + rows +
         "</tbody></table>\n";
}

/// `share` of its row decides the depth of the color.
std::string matrix_cell(int64_t count, int64_t row_total, const std::string& kind) {
  if (count == 0) return "<td class=\"zero " + kind + "\" style=\"--share:0\">0</td>";
  const double share = static_cast<double>(count) / static_cast<double>(row_total);
  char text[128];
  std::snprintf(text, sizeof text, "\" style=\"--share:%.3f\">%lld<small>%.0f %%</small></td>",
                share, static_cast<long long>(count), 100 * share);
  return "<td class=\"" + kind + text;
}

template <typename KindOf>
std::string matrix_table(const std::vector<std::string>& row_names,
                         const std::vector<std::string>& columns,
                         const std::vector<std::vector<int64_t>>& cells, KindOf&& kind_of) {
  std::string html =
      "<table class=\"matrix\">" + header_row("asked for \\ found", columns) + "<tbody>\n";
  for (size_t i = 0; i < cells.size(); ++i) {
    const int64_t total = std::accumulate(cells[i].begin(), cells[i].end(), int64_t{0});
    html += "<tr><th scope=\"row\">" + escape_html(row_names[i]) + "</th>";
    for (size_t j = 0; j < cells[i].size(); ++j) {
      html += matrix_cell(cells[i][j], total, kind_of(i, j));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

std::string position_section(const PositionMatrix& matrix) {
  return "<section><h2>" + escape_html(name_of(matrix.organ)) +
         "</h2><p>At the position asked for: " + escape_html(in_percent(matrix.right)) +
         " tumors</p>\n" +
         matrix_table(matrix.row_names(), matrix.column_names(), matrix.cells,
                      [&](size_t row, size_t column) {
                        if (row == matrix.positions()) return "extra";
                        return row == column ? "right" : "";
                      }) +
         "</section>\n";
}

std::string count_section(const MaskPromptReport& report) {
  if (report.counts.empty()) return "";
  const CountMatrix matrix = count_matrix(report.counts);
  std::vector<std::string> names;
  for (const int64_t asked : matrix.asked) names.push_back(std::to_string(asked));
  return "<section><h2>Number of tumors</h2><p>By organ and case; exact: " +
         escape_html(in_percent(report.all.count)) + "</p>\n" +
         matrix_table(names, matrix.columns, matrix.cells,
                      [&](size_t row, size_t column) {
                        return matrix.asked[row] == static_cast<int64_t>(column) ? "right" : "";
                      }) +
         "</section>\n";
}

std::string subgroup_sections(const std::vector<Subgroup>& groups) {
  std::string html;
  for (size_t first = 0; first < groups.size();) {
    std::string rows;
    size_t next = first;
    for (; next < groups.size() && groups[next].by == groups[first].by; ++next) {
      rows += summary_row(groups[next].name, groups[next].summary);
    }
    html += "<section><h2>By " + escape_html(groups[first].by) + "</h2>\n" +
            summary_table(groups[first].by, rows) + "</section>\n";
    first = next;
  }
  return html;
}

}  // namespace

std::string to_page(const MaskPromptReport& report, const std::string& title) {
  std::string rows;
  for (const auto& [organ, summary] : report.by_organ) rows += summary_row(name_of(organ), summary);
  rows += summary_row("all", report.all);
  std::string body = "<main><h1>" + escape_html(title) + "</h1>\n<p>" +
                     std::to_string(report.cases.size()) + " cases. " + kIntervalNote + "</p>\n";
  body +=
      "<section><h2>Tumors asked for and found</h2>\n" + summary_table("tumors in", rows) +
      "<p style=\"margin-top:10px\">Tumors where none was asked for: " +
      escape_html(in_percent(report.all.false_tumors)) +
      " cases. Tumors in organs that were not named: " + escape_html(in_percent(report.all.stray)) +
      " found.</p></section>\n";
  body += subgroup_sections(report.subgroups);
  body +=
      "<p>Below, rows are what was asked for, columns what was found, shares are of a row. "
      "\"Not asked\" are tumors that answer nothing; \"unclear\" lie in the organ, its part "
      "unknown; \"elsewhere\" in the body outside the five organs.</p>\n<div class=\"matrices\">";
  for (const PositionMatrix& matrix : report.positions) body += position_section(matrix);
  body += count_section(report) + "</div></main>\n";
  return html_page(title, kStyle, "", body);
}

}  // namespace guidegen
