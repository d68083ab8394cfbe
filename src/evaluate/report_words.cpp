#include "evaluate/report_words.hpp"

#include <cmath>
#include <iomanip>
#include <sstream>

namespace guidegen {

const char* const kIntervalNote =
    "In parentheses, 95 % intervals. Tumors of one mask depend on each other, so intervals come "
    "from "
    "a bootstrap over cases (samples of one prompt together); those of shares are the hull of it "
    "and "
    "Wilson's.";

std::string in_percent(const Share& share) {
  if (share.proportion.total == 0) return "-";
  const auto [low, high] = share.interval();
  std::ostringstream out;
  out << std::fixed << std::setprecision(0) << 100 * share.proportion.share() << " % (" << 100 * low
      << "-" << 100 * high << ") of " << share.proportion.total;
  return out.str();
}

std::string in_numbers(const Estimate& estimate, int digits, double scale) {
  if (!std::isfinite(estimate.value)) return "-";
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << scale * estimate.value;
  const auto [low, high] = estimate.interval;
  if (!std::isfinite(low)) return out.str();
  // "to" where a minus sign would meet the dash.
  out << " (" << scale * low << (low < 0 || high < 0 ? " to " : "-") << scale * high << ")";
  return out.str();
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }
Json number_or_null(const std::optional<double>& value) {
  return value ? number_or_null(*value) : Json();
}

std::vector<std::string> summary_heads() {
  return {"organ right",  "position right", "count exact",   "count off by",
          "size, rank r", "size off by mm", "size off by %", "sizes"};
}

std::vector<std::string> summary_cells(const AnswerSummary& summary) {
  return {in_percent(summary.organ),
          in_percent(summary.position),
          in_percent(summary.count),
          in_numbers(summary.count_error, 2),
          in_numbers(summary.size_correlation, 2),
          in_numbers(summary.size_error_mm, 1),
          in_numbers(summary.size_relative_error, 0, 100),
          std::to_string(summary.size_error_mm.of)};
}

}  // namespace guidegen
