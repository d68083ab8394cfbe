#include "guidegen/diffusion/gaussian.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/random_tensor.hpp"

namespace guidegen {
namespace {

at::Tensor draw(const char* purpose, at::ScalarType type = at::kDouble) {
  RandomStream stream(7, "gaussian", purpose);
  return random_normal(stream, {2, 3, 4, 5, 6}).to(type);
}

class GaussianDiffusionTest : public ::testing::TestWithParam<const char*> {
 protected:
  GaussianDiffusion diffusion_{NoiseSchedule("cosine", 100), GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Predictions, GaussianDiffusionTest, ::testing::Values("epsilon", "v"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(GaussianDiffusionTest, TargetGivesBackTheData) {
  const at::Tensor x0 = draw("data");
  const at::Tensor noise = draw("noise");
  for (int64_t t = 1; t <= 100; ++t) {
    const at::Tensor all = at::full({2}, t, at::kLong);
    const at::Tensor xt = diffusion_.add_noise(x0, noise, all);
    const at::Tensor back = diffusion_.predict_x0(diffusion_.target(x0, noise, all), xt, t);
    EXPECT_TRUE(at::allclose(back, x0, 1e-9, 1e-9)) << t;
  }
}

TEST_P(GaussianDiffusionTest, TimeIsPerSample) {
  const at::Tensor x0 = draw("data");
  const at::Tensor noise = draw("noise");
  const at::Tensor xt = diffusion_.add_noise(x0, noise, at::tensor({0, 40}, at::kLong));
  EXPECT_TRUE(at::equal(xt[0], x0[0]));
  const double alpha_bar = diffusion_.schedule().alpha_bar(40);
  EXPECT_TRUE(
      at::allclose(xt[1], std::sqrt(alpha_bar) * x0[1] + std::sqrt(1 - alpha_bar) * noise[1]));
}

/// The best network for data ~ N(mean, deviation^2): E[x_0|x_t] in closed form, as epsilon or v.
at::Tensor ideal_output(const GaussianDiffusion& diffusion, const std::string& prediction,
                        double mean, double deviation, const at::Tensor& x, int64_t t) {
  const double ab = diffusion.schedule().alpha_bar(t);
  const double variance = deviation * deviation;
  const double gain = std::sqrt(ab) * variance / (ab * variance + 1 - ab);
  const at::Tensor x0 = mean + gain * (x - std::sqrt(ab) * mean);
  const at::Tensor epsilon = (x - std::sqrt(ab) * x0) / std::sqrt(1 - ab);
  return prediction == "epsilon" ? epsilon : std::sqrt(ab) * epsilon - std::sqrt(1 - ab) * x0;
}

TEST_P(GaussianDiffusionTest, DdimReturnsAPointExactlyInOneStep) {
  const at::Tensor noise = draw("noise");
  for (const int64_t steps : {1, 3, 100}) {
    const at::Tensor x = diffusion_.sample(
        [&](const at::Tensor& xt, int64_t t) {
          return ideal_output(diffusion_, GetParam(), 0.7, 0.0, xt, t);
        },
        noise, steps, "ddim");
    EXPECT_TRUE(at::allclose(x, at::full_like(x, 0.7), 1e-8, 1e-8)) << steps;
  }
}

TEST_P(GaussianDiffusionTest, DdimTransportsNoiseToTheDataDistribution) {
  // With the ideal network the deterministic path is linear in the noise and ends at
  // mean + deviation * noise (up to the little signal in x_T) as steps become small.
  constexpr double kMean = -1.5;
  constexpr double kDeviation = 0.4;
  const GaussianDiffusion fine(NoiseSchedule("cosine", 4000), GetParam());
  const at::Tensor noise = draw("noise");
  double previous = 1e9;
  for (const int64_t steps : {10, 40, 160, 4000}) {
    const at::Tensor x = fine.sample(
        [&](const at::Tensor& xt, int64_t t) {
          return ideal_output(fine, GetParam(), kMean, kDeviation, xt, t);
        },
        noise, steps, "ddim");
    const double error = (x - (kMean + kDeviation * noise)).abs().max().item<double>();
    EXPECT_LT(error, previous) << steps;
    previous = error;
  }
  EXPECT_LT(previous, 0.01);
}

// Largest error after `steps` of the path's end. For data of one normal distribution the path is
// known: x_t less its mean keeps its ratio to the deviation of x_t.
double solver_error(const GaussianDiffusion& diffusion, const std::string& prediction,
                    const std::string& solver, int64_t steps) {
  constexpr double kMean = -1.5, kDeviation = 0.4;
  const auto network = [&](const at::Tensor& xt, int64_t t) {
    return ideal_output(diffusion, prediction, kMean, kDeviation, xt, t);
  };
  const at::Tensor noise = draw("noise");
  const double last = diffusion.schedule().alpha_bar(diffusion.schedule().steps());
  const at::Tensor exact = kMean + kDeviation * (noise - std::sqrt(last) * kMean) /
                                       std::sqrt(last * kDeviation * kDeviation + 1 - last);
  return (diffusion.sample(network, noise, steps, solver) - exact).abs().max().item<double>();
}

TEST_P(GaussianDiffusionTest, DpmSolverReachesThePathInFewerSteps) {
  const GaussianDiffusion fine(NoiseSchedule("cosine", 4000), GetParam());
  for (const int64_t steps : {10, 20, 40}) {
    EXPECT_LT(solver_error(fine, GetParam(), "dpm++2m", steps),
              0.5 * solver_error(fine, GetParam(), "ddim", steps))
        << steps;
  }
}

TEST_P(GaussianDiffusionTest, ReportsEachStep) {
  std::vector<int64_t> seen;
  diffusion_.sample([](const at::Tensor& x, int64_t) { return x; }, draw("noise"), 4, "ddim",
                    [&](int64_t done, int64_t total) {
                      EXPECT_EQ(total, 4);
                      seen.push_back(done);
                    });
  EXPECT_THAT(seen, ::testing::ElementsAre(1, 2, 3, 4));
}

TEST_P(GaussianDiffusionTest, BoundsHoldAtEachStepAndChangeNothingInside) {
  const auto noise = draw("noise");
  const auto network = [](const at::Tensor& x, int64_t) { return 0.3 * x; };
  for (const char* solver : {"ddim", "dpm++2m"}) {
    const auto free = diffusion_.sample(network, noise, 12, solver);
    const auto wide =
        diffusion_.sample(network, noise, 12, solver, {}, [](const at::Tensor& x0) { return x0; });
    EXPECT_TRUE(at::allclose(free, wide, 1e-6, 1e-8)) << solver;
    const auto narrow = diffusion_.sample(network, noise, 12, solver, {},
                                          [](const at::Tensor& x0) { return x0.clamp(-0.1, 0.1); });
    EXPECT_LE(narrow.abs().max().item<double>(), 0.1 + 1e-9) << solver;
  }
}

TEST(GaussianDiffusion, RefusesWrongInput) {
  const NoiseSchedule schedule("cosine", 10);
  EXPECT_THROW(GaussianDiffusion(schedule, "x0"), Error);
  const GaussianDiffusion diffusion(schedule, "v");
  const at::Tensor x = draw("data");
  EXPECT_THROW(diffusion.add_noise(x, x, at::tensor({1}, at::kLong)), Error);
  EXPECT_THROW(diffusion.add_noise(x, x, at::tensor({1, 11}, at::kLong)), Error);
  EXPECT_THROW(diffusion.sample({}, x, 11, "ddim"), Error);
  EXPECT_THROW(diffusion.sample({}, x, 5, "euler"), Error);
}

}  // namespace
}  // namespace guidegen
