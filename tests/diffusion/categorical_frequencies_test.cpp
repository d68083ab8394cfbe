#include <gtest/gtest.h>

#include <cmath>

#include "diffusion/brute_force.hpp"
#include "guidegen/diffusion/categorical.hpp"
#include "guidegen/nn/random_tensor.hpp"

namespace guidegen {
namespace {

using ::guidegen::testing::BruteForce;
using ::guidegen::testing::Vector;

constexpr int64_t kSteps = 8;

/// Pearson's statistic against the chi-squared quantile that a correct sampler passes with
/// probability 1e-9 (Wilson and Hilferty's approximation), as there are hundreds of comparisons.
void expect_frequencies(const at::Tensor& drawn, const Vector& probabilities) {
  const auto count = static_cast<double>(drawn.numel());
  double statistic = 0;
  double free = -1;
  for (size_t c = 0; c < probabilities.size(); ++c) {
    const double expected = count * probabilities[c];
    const auto seen = (drawn == static_cast<int64_t>(c)).sum().item<double>();
    if (expected == 0) {
      EXPECT_EQ(seen, 0) << c;
      continue;
    }
    statistic += (seen - expected) * (seen - expected) / expected;
    free += 1;
  }
  if (free <= 0) return;
  constexpr double kDeviations = 6;
  const double spread = 2 / (9 * free);
  const double bound = free * std::pow(1 - spread + kDeviations * std::sqrt(spread), 3);
  EXPECT_LT(statistic, bound) << "with " << free << " degrees of freedom";
}

TEST(CategoricalFrequencies, NoiseComesInItsFrequencies) {
  const NoiseSchedule schedule("cosine", kSteps);
  const CategoricalDiffusion diffusion(schedule, 5);
  RandomStream stream(3, "noise", "uniform");
  const at::Tensor x0 = at::full({2, 64, 64, 32}, 3, at::kByte);
  for (int64_t t = 0; t <= kSteps; ++t) {
    // The first sample shows that each has its own t.
    const at::Tensor xt = diffusion.add_noise(x0, at::tensor(std::vector<int64_t>{0, t}, at::kLong),
                                              random_uniform(stream, x0.sizes()));
    ASSERT_TRUE(at::equal(xt[0], x0[0]));
    const double keep = schedule.alpha_bar(t);
    Vector expected(5, (1 - keep) / 5);
    expected[3] += keep;
    expect_frequencies(xt[1], expected);
  }
}

TEST(CategoricalFrequencies, SamplesComeInTheirFrequencies) {
  const NoiseSchedule schedule("cosine", kSteps);
  const BruteForce brute(schedule, 4);
  const CategoricalDiffusion diffusion(schedule, 4);
  RandomStream stream(4, "sample", "uniform");
  const Vector values{0.3, -1.0, 1.2, -200.0};
  const at::Tensor logits =
      at::tensor(values, at::kFloat).view({1, 4, 1, 1, 1}).expand({1, 4, 30, 40, 40}).contiguous();
  for (int64_t t = 1; t <= kSteps; ++t) {
    for (int64_t s = 0; s < t; ++s) {
      for (uint8_t xt = 0; xt < 4; ++xt) {
        const at::Tensor from = at::full({1, 30, 40, 40}, xt, at::kByte);
        const at::Tensor drawn =
            diffusion.sample_step(logits, from, t, s, random_uniform(stream, from.sizes()));
        SCOPED_TRACE(::testing::Message() << "t " << t << " s " << s << " xt " << int{xt});
        Vector expected = brute.predicted_posterior(values, xt, t, s);
        for (double& p : expected) p = p < 1e-30 ? 0 : p;
        expect_frequencies(drawn, expected);
      }
    }
  }
}

}  // namespace
}  // namespace guidegen
