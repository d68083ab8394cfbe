#include "guidegen/diffusion/flow.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/random_tensor.hpp"

namespace guidegen {
namespace {

constexpr double kMean = 2.0;
constexpr double kDeviation = 0.5;

at::Tensor draw(const char* purpose) {
  RandomStream stream(8, "flow", purpose);
  return random_normal(stream, {2, 3, 4, 5, 6}).to(at::kDouble);
}

/// E[e - x_0 | x_t] for x_0 ~ N(mean, deviation^2) and e ~ N(0,1) independent: x_t is normal with
/// mean (1-t) m and variance V = (1-t)^2 d^2 + t^2, and cov(e - x_0, x_t) = t - (1-t) d^2.
/// Along dx/dt = v the normalised position (x - (1-t) m)/sqrt(V) stays what it is: noise e ends at
/// m + d e.
at::Tensor ideal_velocity(const at::Tensor& x, double t) {
  const double variance = (1 - t) * (1 - t) * kDeviation * kDeviation + t * t;
  const double covariance = t - (1 - t) * kDeviation * kDeviation;
  return covariance / variance * (x - (1 - t) * kMean) - kMean;
}

double error(int64_t steps, const std::string& solver, double shift = 1.0) {
  const at::Tensor noise = draw("noise");
  const at::Tensor x = sample_flow(ideal_velocity, noise, steps, solver, shift);
  return (x - (kMean + kDeviation * noise)).abs().max().item<double>();
}

TEST(RectifiedFlow, NoiseAndTargetAreTheStraightLine) {
  const at::Tensor x0 = draw("data");
  const at::Tensor noise = draw("noise");
  const at::Tensor t = at::tensor({0.25F, 1.0F});
  const at::Tensor xt = RectifiedFlow::add_noise(x0, noise, t);
  EXPECT_TRUE(at::allclose(xt[0], 0.75 * x0[0] + 0.25 * noise[0]));
  EXPECT_TRUE(at::equal(xt[1], noise[1]));
  const at::Tensor target = RectifiedFlow::target(x0, noise);
  // One straight step along the target ends at the data.
  EXPECT_TRUE(at::allclose(xt - t.to(at::kDouble).view({2, 1, 1, 1, 1}) * target, x0));
}

TEST(SampleFlow, OneStepIsExactForAPoint) {
  const at::Tensor noise = draw("noise");
  const auto velocity = [](const at::Tensor& x, double t) { return (x - kMean) / t; };
  for (const char* solver : {"euler", "heun"}) {
    for (const int64_t steps : {1, 7}) {
      const at::Tensor x = sample_flow(velocity, noise, steps, solver, 3.0);
      EXPECT_TRUE(at::allclose(x, at::full_like(x, kMean), 1e-10, 1e-10)) << solver << steps;
    }
  }
}

TEST(SampleFlow, SolversConvergeWithTheirOrder) {
  for (const double shift : {1.0, 3.0}) {
    SCOPED_TRACE(shift);
    const double euler = std::log2(error(160, "euler", shift) / error(320, "euler", shift));
    const double heun = std::log2(error(160, "heun", shift) / error(320, "heun", shift));
    EXPECT_NEAR(euler, 1.0, 0.1);
    EXPECT_NEAR(heun, 2.0, 0.15);
    EXPECT_LT(error(320, "heun", shift), 1e-3);
  }
}

TEST(SampleFlow, CallsAtTheShiftedTimes) {
  std::vector<double> times;
  int64_t last = 0;
  sample_flow(
      [&](const at::Tensor& x, double t) {
        times.push_back(t);
        return at::zeros_like(x);
      },
      draw("noise"), 4, "euler", 3.0,
      [&](int64_t done, int64_t total) {
        EXPECT_EQ(done, last + 1);
        EXPECT_EQ(total, 4);
        last = done;
      });
  EXPECT_EQ(last, 4);
  using ::testing::DoubleNear;
  EXPECT_THAT(times, ::testing::ElementsAre(DoubleNear(1, 1e-12), DoubleNear(0.9, 1e-12),
                                            DoubleNear(0.75, 1e-12), DoubleNear(0.5, 1e-12)));
}

TEST(SampleFlow, NeverAsksForTimeZero) {
  int calls = 0;
  sample_flow(
      [&](const at::Tensor& x, double t) {
        EXPECT_GT(t, 0);
        ++calls;
        return x;
      },
      draw("noise"), 5, "heun");
  EXPECT_EQ(calls, 9);
}

TEST(SampleFlow, RefusesWrongInput) {
  EXPECT_THROW(sample_flow(ideal_velocity, draw("noise"), 0, "euler"), Error);
  EXPECT_THROW(sample_flow(ideal_velocity, draw("noise"), 2, "rk4"), Error);
  EXPECT_THROW(sample_flow(ideal_velocity, draw("noise"), 2, "euler", 0.5), Error);
  EXPECT_THROW(RectifiedFlow::add_noise(draw("data"), draw("noise"), at::ones({3})), Error);
}

}  // namespace
}  // namespace guidegen
