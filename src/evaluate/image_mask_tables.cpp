#include "evaluate/image_mask_tables.hpp"

#include <cmath>
#include <iomanip>
#include <sstream>

#include "evaluate/appearance_figures.hpp"
#include "evaluate/report_words.hpp"

namespace guidegen {
namespace {

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string words_of(double tolerance_mm) {
  return tolerance_mm > 0 ? fixed(tolerance_mm, 1) + " mm" : "one voxel";
}

/// The figures that one would compare two models by.
ReportTable headline(const ImageMaskReport& report) {
  ReportTable table{
      "Summary", "CTs against the masks that they were made for.", {{"figure", "value"}}};
  if (const auto& seen = report.segmentation) {
    table.rows.push_back({"Dice of organs, re-segmented", in_numbers(seen->organ_dice, 3)});
    if (!seen->tumors.empty()) {
      table.rows.push_back({"tumors detected", in_percent(seen->tumors.front().detected)});
    }
    table.rows.push_back({"false tumors a case", in_numbers(seen->false_tumors, 2)});
  }
  for (size_t k = 0; k < report.appearance.size(); ++k) {
    table.rows.push_back({std::string("inside the reference: ") + kAppearanceFigures[k].title,
                          in_percent(report.appearance[k].inside)});
  }
  if (!report.contrast.empty()) {
    table.rows.push_back(
        {"tumors visible as in the reference", in_percent(report.contrast[0].agreement.visible)});
  }
  return table;
}

ReportTable overlap_table(const std::vector<OverlapSummary>& rows, const std::string& title,
                          double tolerance_mm) {
  ReportTable table{title,
                    "The mask that a CT was made for against what the segmenter finds in the CT, "
                    "means over cases; surface Dice within " +
                        words_of(tolerance_mm) + ".",
                    {{"label", "cases", "Dice", "surface Dice", "HD95 mm"}}};
  for (const OverlapSummary& row : rows) {
    table.rows.push_back({row.name, std::to_string(row.dice.of), in_numbers(row.dice, 3),
                          in_numbers(row.surface_dice, 3), in_numbers(row.hd95_mm, 1)});
  }
  return table;
}

ReportTable detection_table(const SegmentationSummary& seen) {
  ReportTable table{"Tumors found again",
                    "Tumors of the mask of which the segmenter finds a tenth or more; Dice with "
                    "the pieces found that touch the tumor.",
                    {{"tumors", "detected", "Dice"}}};
  for (const DetectionSummary& row : seen.tumors) {
    table.rows.push_back({row.name, in_percent(row.detected), in_numbers(row.dice, 3)});
  }
  return table;
}

std::vector<std::string> reference_cells(const Agreement& agreement, int digits) {
  if (!agreement.reference) return {"-", "-"};
  const ReferenceRange& range = *agreement.reference;
  return {fixed(range.median, digits),
          fixed(range.low, digits) + " to " + fixed(range.high, digits)};
}

ReportTable appearance_table(const AppearanceSummary& summary, const AppearanceFigure& figure) {
  ReportTable table{
      figure.title,
      "By organ, each case against reference cases of its contrast phase: how many "
      "lie in their central 95 %, and the median difference and ratio to their "
      "median. Range and medians of \"all\" span all phases.",
      {{"organ", "phase", "of", "median", "reference", "range", "inside", "difference", "ratio"}}};
  for (const AppearanceRow& row : summary.rows) {
    const Agreement& agreement = row.agreement;
    std::vector<std::string> cells = {row.organ, row.phase, std::to_string(agreement.of),
                                      fixed(agreement.median, figure.digits)};
    for (std::string& cell : reference_cells(agreement, figure.digits)) {
      cells.push_back(std::move(cell));
    }
    cells.insert(cells.end(),
                 {in_percent(agreement.inside), in_numbers(agreement.offset, figure.digits),
                  in_numbers(agreement.ratio, 2)});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

ReportTable contrast_table(const std::vector<AppearanceRow>& rows) {
  ReportTable table{
      "Contrast of tumors",
      "Mean HU of a tumor less that of its host within 12 mm of it. Inside: in the central 95 % of "
      "the reference for this host and contrast phase. Visible, judged where 95 % of the "
      "reference's tumors are brighter than their host, or 95 % darker: that is true of this one, "
      "by as much as of any of the reference.",
      {{"host", "of", "median HU", "reference", "range", "visible", "inside", "difference"}}};
  for (const AppearanceRow& row : rows) {
    const Agreement& agreement = row.agreement;
    std::vector<std::string> cells = {row.organ, std::to_string(agreement.of),
                                      fixed(agreement.median, 1)};
    for (std::string& cell : reference_cells(agreement, 1)) cells.push_back(std::move(cell));
    cells.insert(cells.end(), {in_percent(agreement.visible), in_percent(agreement.inside),
                               in_numbers(agreement.offset, 1)});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::vector<ReportTable> tables_of(const ImageMaskReport& report) {
  std::vector<ReportTable> tables = {headline(report)};
  if (const auto& seen = report.segmentation) {
    tables.push_back(overlap_table(seen->labels, "Labels found again", report.tolerance_mm));
    tables.push_back(overlap_table(seen->groups, "Groups found again", report.tolerance_mm));
    if (!seen->tumors.empty()) tables.push_back(detection_table(*seen));
  }
  if (!report.contrast.empty()) tables.push_back(contrast_table(report.contrast));
  for (size_t k = 0; k < report.appearance.size(); ++k) {
    if (report.appearance[k].rows.empty()) continue;
    tables.push_back(appearance_table(report.appearance[k], kAppearanceFigures[k]));
  }
  return tables;
}

}  // namespace guidegen
