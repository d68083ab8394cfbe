#include "guidegen/evaluate/hu_error.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>

#include "evaluate/report_words.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr double kLowestHu = -1024;
constexpr double kHighestHu = 3071;
constexpr int64_t kPart = int64_t{1} << 22;  // voxels

/// Sums behind the figures of one window.
class WindowSums {
 public:
  WindowSums(std::string name, double low, double high) : error_{std::move(name), low, high} {}

  void add(const at::Tensor& reference, const at::Tensor& reconstruction) {
    const double low = error_.low_hu, high = error_.high_hu;
    const at::Tensor inside = reference.ge(low).logical_and(reference.le(high));
    error_.voxels += inside.sum().item<int64_t>();
    differences_ += (reference - reconstruction).abs().masked_select(inside).sum().item<double>();
    squares_ += (reference.clamp(low, high) - reconstruction.clamp(low, high))
                    .square()
                    .sum()
                    .item<double>();
    all_ += static_cast<double>(reference.numel());
  }
  WindowError finish() const {
    WindowError error = error_;
    error.mae_hu = error.voxels == 0 ? std::numeric_limits<double>::quiet_NaN()
                                     : differences_ / static_cast<double>(error.voxels);
    const double range = error.high_hu - error.low_hu;
    // Division by 0 gives infinity, as wanted.
    error.psnr_db = 10 * std::log10(range * range / (squares_ / all_));
    return error;
  }

 private:
  WindowError error_;
  double differences_ = 0, squares_ = 0, all_ = 0;
};

Json to_json(const WindowError& error) {
  Json json = Json::object();
  json["name"] = error.name;
  json["low_hu"] = error.low_hu;
  json["high_hu"] = error.high_hu;
  json["voxels"] = error.voxels;
  json["mae_hu"] = number_or_null(error.mae_hu);
  json["psnr_db"] = number_or_null(error.psnr_db);
  return json;
}

void add_row(std::ostringstream& out, const WindowError& error) {
  std::ostringstream window;
  window << error.low_hu << " to " << error.high_hu;
  out << std::left << std::setw(14) << error.name << std::right << std::setw(16) << window.str()
      << std::setw(12) << error.voxels << std::fixed << std::setprecision(2) << std::setw(10)
      << error.mae_hu << std::setw(10) << error.psnr_db << '\n';
}

}  // namespace

HuErrorReport hu_error(const at::Tensor& reference, const at::Tensor& reconstruction,
                       const std::vector<Exposure>& exposures) {
  if (reference.sizes() != reconstruction.sizes()) {
    throw_failure("reconstruction of shape ", reconstruction.sizes(), ", expected ",
                  reference.sizes());
  }
  if (reference.numel() == 0) throw_failure("empty volume, expected at least one voxel");
  std::vector<WindowSums> sums;
  for (const Exposure& exposure : exposures) {
    sums.emplace_back(exposure.name, exposure.center - exposure.width / 2,
                      exposure.center + exposure.width / 2);
  }
  sums.emplace_back("overall", kLowestHu, kHighestHu);
  // Part by part: in float64 at once a large volume would take many times its memory.
  const at::Tensor all_wanted = reference.detach().flatten(),
                   all_got = reconstruction.detach().flatten();
  for (int64_t first = 0; first < all_wanted.numel(); first += kPart) {
    const int64_t count = std::min(kPart, all_wanted.numel() - first);
    const at::Tensor wanted = all_wanted.narrow(0, first, count).to(at::kCPU, at::kDouble);
    const at::Tensor got = all_got.narrow(0, first, count).to(at::kCPU, at::kDouble);
    if (!wanted.isfinite().all().item<bool>() || !got.isfinite().all().item<bool>()) {
      throw_failure("volume with NaN or infinite values, expected finite HU");
    }
    for (auto& window : sums) window.add(wanted, got);
  }
  HuErrorReport report;
  report.overall = sums.back().finish();
  sums.pop_back();
  for (const auto& window : sums) report.windows.push_back(window.finish());
  return report;
}

std::string to_table(const HuErrorReport& report) {
  std::ostringstream out;
  out << std::left << std::setw(14) << "window" << std::right << std::setw(16) << "HU"
      << std::setw(12) << "voxels" << std::setw(10) << "MAE HU" << std::setw(10) << "PSNR dB"
      << '\n';
  for (const WindowError& error : report.windows) add_row(out, error);
  add_row(out, report.overall);
  return out.str();
}

Json to_json(const HuErrorReport& report) {
  Json json = Json::object();
  json["windows"] = Json::array();
  for (const WindowError& error : report.windows) json["windows"].push_back(to_json(error));
  json["overall"] = to_json(report.overall);
  return json;
}

}  // namespace guidegen
