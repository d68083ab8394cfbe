#include "guidegen/diffusion/noise_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

/// No signal share falls below this: a last step without any signal has nothing to condition on,
/// and its ratios would lose all digits.
constexpr double kFloor = 1e-5;

/// Nichol & Dhariwal, eq. 17: alpha_bar(t) = f(t)/f(0), f(t) = cos^2((t/T + s)/(1 + s) * pi/2).
std::vector<double> cosine_schedule(int64_t steps) {
  constexpr double kOffset = 0.008;
  const auto share = [&](int64_t t) {
    const double time = static_cast<double>(t) / static_cast<double>(steps);
    const double root = std::cos((time + kOffset) / (1 + kOffset) * std::numbers::pi / 2);
    return root * root;
  };
  std::vector<double> alpha_bar{1.0};
  for (int64_t t = 1; t <= steps; ++t) alpha_bar.push_back(std::max(share(t) / share(0), kFloor));
  return alpha_bar;
}

/// Ho et al.: beta(t) linear in t and alpha_bar(t) = prod (1 - beta). The published range belongs
/// to T = 1000; scaling by 1000/T keeps the noise at the end alike for other T (and below 1 for few
/// steps).
std::vector<double> linear_schedule(int64_t steps) {
  constexpr double kLargestBeta = 0.999;
  const double scale = 1000.0 / static_cast<double>(steps);
  std::vector<double> alpha_bar{1.0};
  for (int64_t t = 1; t <= steps; ++t) {
    const double time =
        steps == 1 ? 1.0 : static_cast<double>(t - 1) / static_cast<double>(steps - 1);
    const double beta = std::min(scale * (1e-4 + time * (0.02 - 1e-4)), kLargestBeta);
    alpha_bar.push_back(std::max(alpha_bar.back() * (1 - beta), kFloor));
  }
  return alpha_bar;
}

/// Steps that the floor made equal would add no noise at all; they rise slightly towards the start
/// instead, until the schedule itself is higher.
void separate_floored_tail(std::vector<double>& alpha_bar) {
  for (size_t t = alpha_bar.size() - 1; alpha_bar[t - 1] <= alpha_bar[t]; --t) {
    alpha_bar[t - 1] = alpha_bar[t] * (1 + 1e-3);
  }
}

}  // namespace

NoiseSchedule::NoiseSchedule(const std::string& kind, int64_t steps) {
  constexpr int64_t kMostSteps = 100'000;
  if (steps < 1 || steps > kMostSteps) {
    throw_usage("noise schedule: ", steps, " steps, expected 1 to ", kMostSteps);
  }
  if (kind == "cosine") {
    alpha_bar_ = cosine_schedule(steps);
  } else if (kind == "linear") {
    alpha_bar_ = linear_schedule(steps);
  } else {
    throw_usage("noise schedule: unknown kind '", kind, "', expected cosine or linear");
  }
  separate_floored_tail(alpha_bar_);
}

std::vector<int64_t> NoiseSchedule::strided(int64_t count, double exponent) const {
  const int64_t total = steps();
  if (count < 1 || count > total) {
    throw_usage("sampling: ", count, " steps, expected 1 to ", total,
                " (the length of the schedule)");
  }
  std::vector<int64_t> times = {0};
  for (int64_t i = 1; i <= count; ++i) {
    const double share = std::pow(double(i) / double(count), 1.0 / (1.0 + exponent));
    // Neighbours differ by at least 1, and enough steps stay free for those still to come.
    times.push_back(std::clamp<int64_t>(std::llround(share * double(total)), times.back() + 1,
                                        total - (count - i)));
  }
  std::reverse(times.begin(), times.end());
  return times;
}

}  // namespace guidegen
