#include <algorithm>

#include "evaluate/image_mask_tables.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/html.hpp"
#include "guidegen/evaluate/image_mask.hpp"

namespace guidegen {
namespace {

constexpr const char* kStyle = R"css(
.views { display: grid; gap: 10px 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); }
details { margin: 0 0 16px; }
details section { margin: 8px 0 0; }
summary { cursor: pointer; font-size: 15px; padding: 4px 0; }
)css";

std::string case_section(const ImageMaskCase& item) {
  const ImageMaskPictures& pictures = *item.pictures;
  std::string html = "<section>" + html_element("h2", item.id);
  if (const auto& seen = item.segmentation) {
    const auto found = std::count_if(seen->tumors.begin(), seen->tumors.end(),
                                     [](const TumorCheck& tumor) { return tumor.detected; });
    html += html_element("p", concat("Tumors detected: ", found, " of ", seen->tumors.size(),
                                     "; false ones: ", seen->false_tumors, "."));
  }
  html += "<div class=\"views\">\n" + html_figure(pictures.ct, "CT") +
          html_figure(pictures.mask, "the mask it was made for");
  if (!pictures.segmentation.empty()) {
    html += html_figure(pictures.segmentation, "what the segmenter finds");
  }
  return html + "</div></section>\n";
}

/// Long tables are folded, so that the page opens with what matters.
std::string folded(const ReportTable& table) {
  return "<details><summary>" + escape_html(table.title) + "</summary>" + in_html(table) +
         "</details>\n";
}

}  // namespace

std::string to_page(const ImageMaskReport& report, const std::string& title) {
  std::string body =
      "<main>" + html_element("h1", title) +
      html_element("p", concat(report.cases.size(), " cases, ", report.reference_cases,
                               " reference cases. In parentheses, 95 % intervals over prompts.")) +
      "\n";
  const std::vector<ReportTable> tables = tables_of(report);
  constexpr size_t kLongest = 12;  // rows of a table that is not folded
  for (const ReportTable& table : tables) {
    body += table.rows.size() <= kLongest ? in_html(table) : folded(table);
  }
  for (const ImageMaskCase& item : report.cases) {
    if (item.pictures) body += case_section(item);
  }
  return html_page(title, std::string(kReportStyle) + kStyle, "", body + "</main>\n");
}

}  // namespace guidegen
