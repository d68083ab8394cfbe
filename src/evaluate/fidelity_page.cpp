#include <algorithm>
#include <cmath>

#include "evaluate/fidelity_cells.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/html.hpp"
#include "guidegen/evaluate/fidelity.hpp"

namespace guidegen {
namespace {

constexpr const char* kStyle = R"css(
.views { display: grid; gap: 10px 12px; grid-template-columns: repeat(3, minmax(260px, 1fr)); }
.spectra { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 12px; }
.spectra svg { display: block; width: 320px; height: 170px; }
.spectra text { font-size: 11px; fill: var(--soft); }
.axis { stroke: var(--line); }
.wanted, .made { fill: none; stroke-width: 1.8; }
.wanted { stroke: var(--soft); }
.made { stroke: var(--accent); stroke-dasharray: 5 3; }
)css";

constexpr double kPlotLeft = 8, kPlotTop = 20, kPlotWidth = 304, kPlotHeight = 126;

std::string curve(const NoiseSpectrum& spectrum, double highest, const char* kind) {
  std::string points;
  const double last = spectrum.frequency_per_mm.back();
  for (size_t k = 0; k < spectrum.power.size(); ++k) {
    const double x = kPlotLeft + kPlotWidth * spectrum.frequency_per_mm[k] / last;
    const double y = kPlotTop + kPlotHeight * (1 - spectrum.power[k] / highest);
    points += concat(x, ",", y, " ");
  }
  return concat("<polyline class=\"", kind, "\" points=\"", points, "\"/>");
}

/// Both spectra over frequency, from 0 to Nyquist's and to the larger peak.
std::string spectrum_plot(const NoiseComparison& noise) {
  double highest = 0;
  for (const NoiseSpectrum* spectrum : {&noise.reference, &noise.reconstruction}) {
    for (const double power : spectrum->power) highest = std::max(highest, power);
  }
  if (!(highest > 0)) return "";
  const double base = kPlotTop + kPlotHeight;
  return concat("<svg viewBox=\"0 0 320 170\" role=\"img\"><text x=\"8\" y=\"12\">",
                escape_html(noise.label), ": noise power, peak ", std::lround(highest),
                " HU² mm²</text><line class=\"axis\" x1=\"8\" x2=\"312\" y1=\"", base, "\" y2=\"",
                base, "\"/>", curve(noise.reference, highest, "wanted"),
                curve(noise.reconstruction, highest, "made"), "<text x=\"8\" y=\"164\">0</text>",
                "<text x=\"312\" y=\"164\" text-anchor=\"end\">",
                std::round(1000 * noise.reference.frequency_per_mm.back()) / 1000,
                " / mm</text></svg>");
}

std::string case_section(const FidelityCase& measured) {
  std::string html = "<section>" + html_element("h2", measured.id) + "<div class=\"views\">\n";
  for (const FidelityPictures& pictures : measured.pictures) {
    const std::string window = pictures.window;
    html += html_figure(pictures.reference, window + ": reference");
    html += html_figure(pictures.reconstruction, window + ": reconstruction");
    html += html_figure(pictures.difference, concat(window, ": reconstruction − reference, ±",
                                                    std::lround(pictures.difference_hu), " HU"));
  }
  html += "</div>\n";
  if (!measured.noise.empty()) {
    html += "<div class=\"spectra\">";
    for (const NoiseComparison& noise : measured.noise) html += spectrum_plot(noise);
    html += "</div>";
  }
  return html + "</section>\n";
}

}  // namespace

std::string to_page(const FidelityReport& report, const std::string& title) {
  const auto cases = static_cast<int64_t>(report.cases.size());
  std::string body = "<main>" + html_element("h1", title) + "\n<p>" + std::to_string(cases) +
                     (cases == 1 ? " case."
                                 : " cases: means, in parentheses 95 % bootstrap "
                                   "intervals over cases.") +
                     "</p>\n";
  for (const FidelitySummary& section : report.summary) {
    if (!section.rows.empty()) body += in_html(cells_of(section, report.windows));
  }
  const auto drawn =
      std::count_if(report.cases.begin(), report.cases.end(),
                    [](const FidelityCase& measured) { return !measured.pictures.empty(); });
  if (drawn > 0) {
    body +=
        "<p>Differences: gray where both agree, white where the reconstruction is higher, black "
        "where it is lower. Noise power: gray of the reference, dashed of the reconstruction.";
    if (drawn < cases) {
      body += concat(" Drawn: the first ", drawn, " of ", cases, " cases.");
    }
    body += "</p>\n";
  }
  for (const FidelityCase& measured : report.cases) {
    if (!measured.pictures.empty()) body += case_section(measured);
  }
  return html_page(title, std::string(kReportStyle) + kStyle, "", body + "</main>\n");
}

}  // namespace guidegen
