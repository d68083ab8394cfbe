#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace guidegen {

/// Share of signal left, alpha_bar(t), for t = 0…T in float64: alpha_bar(0) = 1 exactly,
/// decreasing, positive.
class NoiseSchedule {
 public:
  /// "cosine": Nichol & Dhariwal, "Improved DDPM", ICML 2021, eq. 17 (s = 0.008), floor 1e-5.
  /// "linear": Ho et al., "DDPM", NeurIPS 2020, beta from 1e-4 to 0.02, scaled by 1000/T.
  NoiseSchedule(const std::string& kind, int64_t steps);

  int64_t steps() const { return static_cast<int64_t>(alpha_bar_.size()) - 1; }  ///< T
  double alpha_bar(int64_t t) const { return alpha_bar_.at(static_cast<size_t>(t)); }
  /// Strided sub-sequence T = t_0 > t_1 > … > t_n = 0 with n = `count` network calls, as dense as
  /// t^exponent: 0 spaces them evenly, more puts more of them where little signal is left.
  std::vector<int64_t> strided(int64_t count, double exponent = 0.0) const;

 private:
  std::vector<double> alpha_bar_;
};

}  // namespace guidegen
