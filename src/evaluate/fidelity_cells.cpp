#include "evaluate/fidelity_cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluate/report_words.hpp"

namespace guidegen {
namespace {

struct Column {
  const char* head;
  const char* figure;  ///< "*/" stands for the window through which the row is seen
  int digits;
  bool judged = true;  ///< what only describes the reference is shown without an interval
};

struct Layout {
  const char* section;
  const char* title;
  const char* corner;
  std::vector<Column> columns;
  const char* note;
};

const std::vector<Column>& seen_columns() {
  static const std::vector<Column> columns = {{"voxels", "voxels", 0, false},
                                              {"mean HU", "reference_hu", 1, false},
                                              {"MAE HU", "mae_hu", 2},
                                              {"bias HU", "bias_hu", 2},
                                              {"window", "*", 0},
                                              {"PSNR dB", "*/psnr_db", 2},
                                              {"SSIM 3-D", "*/ssim_3d", 4},
                                              {"SSIM 2-D", "*/ssim_2d", 4}};
  return columns;
}

std::vector<Column> with_borders() {
  std::vector<Column> columns = seen_columns();
  columns.push_back({"border MAE HU", "border_mae_hu", 2});
  columns.push_back({"sharpness", "sharpness", 3});
  return columns;
}

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"windows",
       "Exposure windows",
       "window",
       {{"low HU", "low_hu", 0},
        {"high HU", "high_hu", 0},
        {"voxels", "voxels", 0, false},
        {"MAE HU", "mae_hu", 2},
        {"bias HU", "bias_hu", 2},
        {"PSNR dB", "psnr_db", 2},
        {"SSIM 3-D", "ssim_3d", 4},
        {"SSIM 2-D", "ssim_2d", 4}},
       "MAE and bias of voxels whose reference lies in the window; PSNR and SSIM of the whole "
       "image clamped to it."},
      {"tissues", "Tissue classes", "tissue", seen_columns(),
       "By the HU of the reference; PSNR and SSIM through the narrowest window that holds the "
       "mean."},
      {"organs", "Organs", "organ", with_borders(),
       "By the mask; sharpness is the mean gradient on the organ's border, reconstruction over "
       "reference."},
      {"borders", "Borders of organs", "voxels", with_borders(),
       "Voxels with a face neighbor of another label, and organs without them."},
      {"noise",
       "Noise of homogeneous organs",
       "organ",
       {{"patches", "patches", 0, false},
        {"HU^2", "variance_hu2", 1},
        {"HU^2 made", "variance_made_hu2", 1},
        {"ratio", "variance_ratio", 3},
        {"mean 1/mm", "frequency_per_mm", 4},
        {"mean 1/mm made", "frequency_made_per_mm", 4},
        {"frequency ratio", "frequency_ratio", 3}},
       "Integral and mean frequency of the noise power spectrum in patches of axial slices."}};
  return all;
}

const Estimate* find(const FidelitySummaryRow& row, const std::string& figure) {
  for (const auto& [name, estimate] : row.figures) {
    if (name == figure) return &estimate;
  }
  return nullptr;
}

/// The narrowest window around the row's mean HU, as a reader would choose; the whole range else.
std::string window_of(const FidelitySummaryRow& row, const std::vector<Exposure>& windows) {
  const Estimate* mean = find(row, "reference_hu");
  std::string name = "overall";
  double narrowest = std::numeric_limits<double>::infinity();
  for (const Exposure& window : windows) {
    if (mean && std::abs(mean->value - window.center) <= window.width / 2 &&
        window.width < narrowest) {
      name = window.name;
      narrowest = window.width;
    }
  }
  return name;
}

std::string cell(const FidelitySummaryRow& row, const Column& column, const std::string& window) {
  std::string figure = column.figure;
  if (figure == "*") return window;
  if (figure.front() == '*') figure.replace(0, 1, window);
  const Estimate* estimate = find(row, figure);
  if (!estimate) return "-";
  Estimate shown = *estimate;
  // Nor do the edges of a window, which are the same in all cases.
  const bool bare = shown.interval.first == shown.interval.second;
  if (!column.judged || bare) shown.interval = {NAN, NAN};
  return in_numbers(shown, column.digits);
}

}  // namespace

ReportTable cells_of(const FidelitySummary& section, const std::vector<Exposure>& windows) {
  const auto& all = layouts();
  const auto layout = std::find_if(all.begin(), all.end(), [&](const Layout& candidate) {
    return candidate.section == section.name;
  });
  ReportTable cells{layout->title, layout->note, {{layout->corner}}};
  for (const Column& column : layout->columns) cells.rows.front().push_back(column.head);
  for (const FidelitySummaryRow& row : section.rows) {
    const std::string window = window_of(row, windows);
    std::vector<std::string> texts = {row.name};
    for (const Column& column : layout->columns) texts.push_back(cell(row, column, window));
    cells.rows.push_back(std::move(texts));
  }
  return cells;
}

}  // namespace guidegen
