#include "guidegen/evaluate/hu_error.hpp"

#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr double kLowestHu = -1024;
constexpr double kHighestHu = 3071;

WindowError window_error(const at::Tensor& reference, const at::Tensor& reconstruction,
                         const std::string& name, double low, double high) {
  WindowError error{name, low, high};
  const at::Tensor inside = reference.ge(low).logical_and(reference.le(high));
  error.voxels = inside.sum().item<int64_t>();
  error.mae_hu =
      error.voxels == 0
          ? std::numeric_limits<double>::quiet_NaN()
          : (reference - reconstruction).abs().masked_select(inside).mean().item<double>();
  const double mse =
      (reference.clamp(low, high) - reconstruction.clamp(low, high)).square().mean().item<double>();
  const double range = high - low;
  error.psnr_db = 10 * std::log10(range * range / mse);  // division by 0 gives infinity, as wanted
  return error;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

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
  const at::Tensor wanted = reference.detach().to(at::kCPU, at::kDouble);
  const at::Tensor got = reconstruction.detach().to(at::kCPU, at::kDouble);
  if (!wanted.isfinite().all().item<bool>() || !got.isfinite().all().item<bool>()) {
    throw_failure("volume with NaN or infinite values, expected finite HU");
  }
  HuErrorReport report;
  for (const Exposure& exposure : exposures) {
    report.windows.push_back(window_error(wanted, got, exposure.name,
                                          exposure.center - exposure.width / 2,
                                          exposure.center + exposure.width / 2));
  }
  report.overall = window_error(wanted, got, "overall", kLowestHu, kHighestHu);
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
