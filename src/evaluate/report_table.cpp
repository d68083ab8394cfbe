#include "evaluate/report_table.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "guidegen/core/base64.hpp"
#include "guidegen/core/html.hpp"

namespace guidegen {

const char* const kReportStyle = R"css(
main { max-width: 1680px; margin: 0 auto; padding: 20px 24px 48px; }
h1 { font-size: 22px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 2px; overflow-wrap: anywhere; }
p { margin: 0 0 12px; color: var(--soft); font-size: 14px; max-width: 90ch; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 16px; margin: 0 0 16px; overflow-x: auto; }
.figures { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
.figures th, .figures td { padding: 4px 14px 4px 0; text-align: right; white-space: nowrap; }
.figures th:first-child { text-align: left; }
.figures thead th { color: var(--soft); font-weight: 500; font-size: 13px; }
.figures tbody th { font-weight: 500; }
.figures tbody th, .figures tbody td { border-top: 1px solid var(--line); }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; background: #000; border-radius: 4px; }
figcaption { color: var(--soft); font-size: 13px; padding: 2px 0 0; }
)css";

std::string in_text(const ReportTable& table) {
  std::ostringstream out;
  out << table.title << ". " << table.note << '\n';
  std::vector<size_t> widths(table.rows.front().size());
  for (const auto& row : table.rows) {
    for (size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], row[k].size());
  }
  for (const auto& row : table.rows) {
    out << std::left << std::setw(static_cast<int>(widths[0])) << row[0] << std::right;
    for (size_t k = 1; k < row.size(); ++k) {
      out << "  " << std::setw(static_cast<int>(widths[k])) << row[k];
    }
    out << '\n';
  }
  return out.str();
}

std::string html_element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + escape_html(text) + "</" + name + ">";
}

std::string in_html(const ReportTable& table) {
  std::string html = "<section>" + html_element("h2", table.title) + html_element("p", table.note) +
                     "<table class=\"figures\"><thead><tr>";
  for (const std::string& head : table.rows.front()) {
    html += "<th scope=\"col\">" + escape_html(head) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (size_t i = 1; i < table.rows.size(); ++i) {
    const std::vector<std::string>& row = table.rows[i];
    html += "<tr><th scope=\"row\">" + escape_html(row.front()) + "</th>";
    for (size_t k = 1; k < row.size(); ++k) html += html_element("td", row[k]);
    html += "</tr>\n";
  }
  return html + "</tbody></table></section>\n";
}

std::string html_figure(const std::string& png, const std::string& caption) {
  return "<figure><img alt=\"" + escape_html(caption) + "\" src=\"data:image/png;base64," +
         base64(png) + "\"><figcaption>" + escape_html(caption) + "</figcaption></figure>\n";
}

}  // namespace guidegen
