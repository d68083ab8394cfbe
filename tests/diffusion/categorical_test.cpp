#include "guidegen/diffusion/categorical.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "diffusion/brute_force.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/nn/random_tensor.hpp"

namespace guidegen {
namespace {

using ::guidegen::testing::BruteForce;
using ::guidegen::testing::Vector;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int64_t kSteps = 8;

at::Tensor times(std::vector<int64_t> values) { return at::tensor(values, at::kLong); }

/// Every pair (x_0, x_t) of K labels, several times with different logits: one voxel each.
struct Pairs {
  int64_t labels;
  at::Tensor logits;  // [1,K,1,R*K,K] float32
  at::Tensor x0, xt;  // [1,1,R*K,K] uint8

  Pairs(int64_t label_count, double spread) : labels(label_count) {
    constexpr int64_t kRepeats = 3;
    RandomStream stream(1, "pairs", "logits");
    logits = random_normal(stream, {1, labels, 1, kRepeats * labels, labels}) * spread;
    const at::Tensor ids = at::arange(labels, at::kByte);
    x0 = ids.repeat({kRepeats}).view({1, 1, -1, 1}).expand({1, 1, -1, labels}).contiguous();
    xt = ids.view({1, 1, 1, -1}).expand_as(x0).contiguous();
  }

  int64_t count() const { return x0.numel(); }
  size_t x0_at(int64_t v) const { return x0.view(-1)[v].item<int64_t>(); }
  size_t xt_at(int64_t v) const { return xt.view(-1)[v].item<int64_t>(); }
  Vector logits_at(int64_t v) const {
    const at::Tensor column = logits.view({labels, -1}).select(1, v).to(at::kDouble).contiguous();
    return {column.const_data_ptr<double>(), column.const_data_ptr<double>() + labels};
  }
};

at::Tensor brute_force_posterior(const BruteForce& brute, const Pairs& pairs, int64_t t,
                                 int64_t s) {
  at::Tensor result = at::empty({pairs.labels, pairs.count()}, at::kDouble);
  for (int64_t v = 0; v < pairs.count(); ++v) {
    result.select(1, v).copy_(
        at::tensor(brute.predicted_posterior(pairs.logits_at(v), pairs.xt_at(v), t, s)));
  }
  return result.view(pairs.logits.sizes());
}

TEST(CategoricalDiffusion, PosteriorEqualsMatrixProductsForAllTimes) {
  for (const char* kind : {"cosine", "linear"}) {
    const NoiseSchedule schedule(kind, kSteps);
    for (int64_t labels = 2; labels <= 5; ++labels) {
      const Pairs pairs(labels, 3.0);
      const BruteForce brute(schedule, labels);
      const CategoricalDiffusion diffusion(schedule, labels);
      for (int64_t t = 1; t <= kSteps; ++t) {
        for (int64_t s = 0; s < t; ++s) {
          const at::Tensor ours = diffusion.posterior(pairs.logits, pairs.xt, t, s);
          const at::Tensor exact = brute_force_posterior(brute, pairs, t, s);
          ASSERT_LT((ours - exact).abs().max().item<double>(), 1e-6)
              << kind << " K " << labels << " t " << t << " s " << s;
        }
      }
    }
  }
}

TEST(CategoricalDiffusion, LastStepDrawsFromTheNetworksPrediction) {
  const Pairs pairs(5, 3.0);
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 5);
  for (const int64_t t : {int64_t{1}, int64_t{4}, kSteps}) {
    const at::Tensor ours = diffusion.posterior(pairs.logits, pairs.xt, t, 0);
    EXPECT_TRUE(at::allclose(ours, pairs.logits.softmax(1), 1e-5, 1e-7)) << t;
  }
}

/// d/dlogits of kl_weight KL + ce_weight CE of one voxel by central differences.
Vector numeric_gradient(const BruteForce& brute, const Vector& logits, size_t x0, size_t xt,
                        int64_t t, double kl_weight, double ce_weight) {
  constexpr double kStep = 1e-5;
  const auto value = [&](const Vector& at) {
    return kl_weight * brute.kl(at, x0, xt, t) + ce_weight * BruteForce::cross_entropy(at, x0);
  };
  Vector gradient;
  for (size_t c = 0; c < logits.size(); ++c) {
    Vector up = logits;
    Vector down = logits;
    up[c] += kStep;
    down[c] -= kStep;
    gradient.push_back((value(up) - value(down)) / (2 * kStep));
  }
  return gradient;
}

TEST(CategoricalDiffusion, LossAndGradientEqualBruteForceForAllTimes) {
  constexpr double kKl = 0.7;
  constexpr double kCe = 0.3;
  const NoiseSchedule schedule("cosine", kSteps);
  for (int64_t labels = 2; labels <= 5; ++labels) {
    Pairs pairs(labels, 3.0);
    pairs.logits.requires_grad_();
    const BruteForce brute(schedule, labels);
    const CategoricalDiffusion diffusion(schedule, labels);
    const auto count = static_cast<double>(pairs.count());
    for (int64_t t = 1; t <= kSteps; ++t) {
      SCOPED_TRACE(::testing::Message() << "K " << labels << " t " << t);
      const auto loss = diffusion.loss(pairs.logits, pairs.x0, pairs.xt, times({t}), kKl, kCe);
      pairs.logits.mutable_grad() = at::Tensor();
      loss.total.backward();
      const at::Tensor gradient = pairs.logits.grad().view({labels, -1}) * count;
      double kl = 0;
      double ce = 0;
      for (int64_t v = 0; v < pairs.count(); ++v) {
        const Vector logits = pairs.logits_at(v);
        const size_t x0 = pairs.x0_at(v);
        const size_t xt = pairs.xt_at(v);
        kl += brute.kl(logits, x0, xt, t) / count;
        ce += BruteForce::cross_entropy(logits, x0) / count;
        const Vector exact = numeric_gradient(brute, logits, x0, xt, t, kKl, kCe);
        for (int64_t c = 0; c < labels; ++c) {
          ASSERT_NEAR(gradient[c][v].item<double>(), exact[c], 3e-6)
              << "x0 " << x0 << " xt " << xt << " label " << c;
        }
      }
      EXPECT_NEAR(loss.kl.item<double>(), kl, 1e-6 * (1 + kl));
      EXPECT_NEAR(loss.cross_entropy.item<double>(), ce, 1e-6 * (1 + ce));
      EXPECT_NEAR(loss.total.item<double>(), kKl * kl + kCe * ce, 1e-6 * (1 + kl + ce));
      if (t == 1) {
        EXPECT_EQ(loss.kl.item<float>(), loss.cross_entropy.item<float>());
      }
    }
  }
}

/// A batch of random labels and logits, of a size that fills several blocks and a partial one.
struct Batch {
  at::Tensor logits, x0, xt, uniform;
  Batch(int64_t samples, int64_t labels, double spread, at::ScalarType type = at::kByte) {
    RandomStream stream(2, "batch", "values");
    const std::vector<int64_t> shape{samples, 7, 9, 11};
    logits = random_normal(stream, {samples, labels, 7, 9, 11}) * spread;
    const auto draw = [&] {
      return (random_uniform(stream, shape) * static_cast<double>(labels)).floor().to(type);
    };
    x0 = draw();
    xt = draw();
    uniform = random_uniform(stream, shape);
  }
};

TEST(CategoricalDiffusion, KlIsZeroWhereThePredictionIsRight) {
  Batch batch(2, 30, 1.0);
  // Logits so sure of x_0 that the predicted posterior is the true one.
  const at::Tensor sure =
      at::one_hot(batch.x0.to(at::kLong), 30).permute({0, 4, 1, 2, 3}).to(at::kFloat) * 200.0;
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", 1000), 30);
  for (const int64_t t : {1, 2, 10, 500, 999, 1000}) {
    const auto loss = diffusion.loss(sure, batch.x0, batch.xt, times({t, t}), 1, 1);
    EXPECT_NEAR(loss.kl.item<double>(), 0, 1e-7) << t;
    EXPECT_GE(loss.kl.item<double>(), 0) << t;
    EXPECT_EQ(loss.cross_entropy.item<double>(), 0) << t;
  }
}

TEST(CategoricalDiffusion, ExtremeLogitsStayFinite) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", 1000), 30);
  Batch batch(1, 30, 300.0);
  batch.logits.requires_grad_();
  for (const int64_t t : {1, 2, 3, 100, 999, 1000}) {
    batch.logits.mutable_grad() = at::Tensor();
    const auto loss = diffusion.loss(batch.logits, batch.x0, batch.xt, times({t}), 1, 0.1);
    loss.total.backward();
    EXPECT_TRUE(std::isfinite(loss.total.item<double>())) << t;
    EXPECT_TRUE(at::isfinite(batch.logits.grad()).all().item<bool>()) << t;
    EXPECT_LE(batch.logits.grad().abs().max().item<double>() * batch.x0.numel(), 1.1 + 1e-4) << t;
  }
}

TEST(CategoricalDiffusion, NotANumberIsNotHidden) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", 10), 4);
  Batch batch(1, 4, 1.0);
  batch.logits[0][2][3][4][5] = std::numeric_limits<float>::quiet_NaN();
  for (const int64_t t : {1, 5}) {
    const auto loss = diffusion.loss(batch.logits, batch.x0, batch.xt, times({t}), 1, 1);
    EXPECT_TRUE(std::isnan(loss.kl.item<double>())) << t;
    EXPECT_THAT([&] { diffusion.sample_step(batch.logits, batch.xt, t, 0, batch.uniform); },
                ThrowsMessage<Error>(HasSubstr("not finite")));
  }
}

TEST(CategoricalDiffusion, TimeIsPerSample) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 6);
  const Batch batch(3, 6, 2.0);
  const std::vector<int64_t> all{1, 5, 8};
  const auto together = diffusion.loss(batch.logits, batch.x0, batch.xt, times(all), 1, 1);
  double kl = 0;
  for (int64_t b = 0; b < 3; ++b) {
    const auto one = [&](const at::Tensor& x) { return x.narrow(0, b, 1); };
    kl += diffusion.loss(one(batch.logits), one(batch.x0), one(batch.xt), times({all[b]}), 1, 1)
              .kl.item<double>() /
          3;
  }
  EXPECT_NEAR(together.kl.item<double>(), kl, 1e-6);
}

TEST(CategoricalDiffusion, LayoutAndLabelTypeChangeNothing) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 30);
  Batch batch(2, 30, 2.0);
  const at::Tensor t = times({3, 8});
  const at::Tensor last = batch.logits.contiguous(at::MemoryFormat::ChannelsLast3d);
  const auto run = [&](const at::Tensor& values, at::ScalarType type) {
    const at::Tensor logits = values.detach().clone().requires_grad_();
    const auto loss = diffusion.loss(logits, batch.x0.to(type), batch.xt.to(type), t, 1, 0.5);
    loss.total.backward();
    return std::make_pair(loss.total.item<float>(), logits.grad());
  };
  const auto [value, gradient] = run(batch.logits, at::kByte);
  for (const auto& layout : {batch.logits, last}) {
    for (const auto type : {at::kByte, at::kUInt16}) {
      const auto [other_value, other_gradient] = run(layout, type);
      EXPECT_EQ(other_value, value);
      EXPECT_TRUE(at::equal(other_gradient, gradient));
      const at::Tensor drawn =
          diffusion.sample_step(layout, batch.xt.to(type), 8, 3, batch.uniform);
      EXPECT_EQ(drawn.scalar_type(), type);
      EXPECT_TRUE(at::equal(drawn.to(at::kByte),
                            diffusion.sample_step(batch.logits, batch.xt, 8, 3, batch.uniform)));
    }
  }
  EXPECT_TRUE(run(last, at::kByte).second.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

TEST(CategoricalDiffusion, HalfPrecisionLogitsAreConverted) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 5);
  const Batch batch(1, 5, 2.0);
  const at::Tensor logits = batch.logits.to(at::kBFloat16).requires_grad_();
  const auto loss = diffusion.loss(logits, batch.x0, batch.xt, times({4}), 1, 1);
  loss.total.backward();
  const auto same =
      diffusion.loss(logits.detach().to(at::kFloat), batch.x0, batch.xt, times({4}), 1, 1);
  EXPECT_EQ(loss.total.item<float>(), same.total.item<float>());
  EXPECT_EQ(logits.grad().scalar_type(), at::kBFloat16);
}

TEST(CategoricalDiffusion, WeightsMultiplyVoxelByVoxel) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 5);
  const Batch batch(2, 5, 2.0);
  const at::Tensor t = times({1, 6});
  const at::Tensor logits = batch.logits.clone().requires_grad_();
  const auto plain = diffusion.loss(logits, batch.x0, batch.xt, t, 1, 1);
  plain.total.backward();
  const at::Tensor plain_gradient = logits.grad().clone();

  // Two weights that add up to 1 everywhere split both losses and the gradient.
  double kl = 0;
  double ce = 0;
  at::Tensor gradient = at::zeros_like(plain_gradient);
  for (const at::Tensor& weight : {batch.uniform, 1 - batch.uniform}) {
    logits.mutable_grad() = at::Tensor();
    const auto loss = diffusion.loss(logits, batch.x0, batch.xt, t, 1, 1, weight);
    loss.total.backward();
    EXPECT_TRUE(at::allclose(logits.grad(), plain_gradient * weight.unsqueeze(1), 1e-5, 1e-10));
    kl += loss.kl.item<double>();
    ce += loss.cross_entropy.item<double>();
    gradient += logits.grad();
  }
  EXPECT_NEAR(kl, plain.kl.item<double>(), 1e-6);
  EXPECT_NEAR(ce, plain.cross_entropy.item<double>(), 1e-6);
}

TEST(CategoricalDiffusion, BackwardScalesWithTheOuterGradient) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 5);
  const Batch batch(1, 5, 2.0);
  const at::Tensor logits = batch.logits.clone().requires_grad_();
  (diffusion.loss(logits, batch.x0, batch.xt, times({4}), 1, 1).total).backward();
  const at::Tensor once = logits.grad().clone();
  logits.mutable_grad() = at::Tensor();
  (diffusion.loss(logits, batch.x0, batch.xt, times({4}), 1, 1).total * 3.0).backward();
  EXPECT_TRUE(at::allclose(logits.grad(), once * 3, 1e-6, 1e-12));
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(diffusion.loss(logits, batch.x0, batch.xt, times({4}), 1, 1).total.requires_grad());
}

TEST(CategoricalDiffusion, SampleInvertsTheCumulatedPosterior) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", 100), 30);
  const Batch batch(2, 30, 3.0, at::kUInt16);
  const at::Tensor cumulated =
      diffusion.posterior(batch.logits, batch.xt, 70, 40).to(at::kDouble).cumsum(1);
  const at::Tensor drawn = diffusion.sample_step(batch.logits, batch.xt, 70, 40, batch.uniform);
  const at::Tensor index = drawn.to(at::kLong).unsqueeze(1);
  const at::Tensor above = cumulated.gather(1, index).squeeze(1);
  const at::Tensor below = above - diffusion.posterior(batch.logits, batch.xt, 70, 40)
                                       .to(at::kDouble)
                                       .gather(1, index)
                                       .squeeze(1);
  EXPECT_TRUE((batch.uniform <= above + 1e-6).all().item<bool>());
  EXPECT_TRUE((batch.uniform >= below - 1e-6).all().item<bool>());
}

TEST(CategoricalDiffusion, ThreadsChangeNothing) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 30);
  RandomStream stream(5, "threads", "values");
  const at::Tensor logits = random_normal(stream, {2, 30, 20, 30, 31}).requires_grad_();
  const at::Tensor uniform = random_uniform(stream, {2, 20, 30, 31});
  const at::Tensor xt = (uniform * 30).to(at::kByte);
  const int threads = at::get_num_threads();
  std::vector<at::Tensor> seen[2];
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    auto& out = seen[count == 1 ? 0 : 1];
    logits.mutable_grad() = at::Tensor();
    const auto loss = diffusion.loss(logits, xt.flip({1}), xt, times({2, 7}), 1, 1);
    loss.total.backward();
    out = {loss.total.detach(), loss.kl, logits.grad().clone(),
           diffusion.sample_step(logits, xt, 7, 3, uniform),
           diffusion.add_noise(xt, times({5, 6}), uniform.flip({1}))};
  }
  at::set_num_threads(threads);
  for (size_t i = 0; i < seen[0].size(); ++i) EXPECT_TRUE(at::equal(seen[0][i], seen[1][i])) << i;
}

TEST(CategoricalDiffusion, RefusesWrongInput) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 4);
  const Batch batch(1, 4, 1.0);
  const auto loss = [&](const at::Tensor& logits, const at::Tensor& x0, const at::Tensor& xt,
                        const at::Tensor& t) { diffusion.loss(logits, x0, xt, t, 1, 1); };
  const at::Tensor wrong = at::full_like(batch.xt, 4);
  EXPECT_THAT([&] { loss(batch.logits, wrong, batch.xt, times({3})); },
              ThrowsMessage<Error>(HasSubstr("x_0 holds label 4, expected 0 to 3")));
  EXPECT_THAT([&] { loss(batch.logits, batch.x0, at::full_like(batch.xt, 255), times({3})); },
              ThrowsMessage<Error>(HasSubstr("x_t holds label 255")));
  EXPECT_THROW(loss(batch.logits, batch.x0, batch.xt.to(at::kLong), times({3})), Error);
  EXPECT_THROW(loss(batch.logits, batch.x0, batch.xt, times({0})), Error);
  EXPECT_THROW(loss(batch.logits, batch.x0, batch.xt, times({kSteps + 1})), Error);
  EXPECT_THROW(loss(batch.logits, batch.x0, batch.xt, times({1, 1})), Error);
  EXPECT_THROW(loss(batch.logits.narrow(1, 0, 3), batch.x0, batch.xt, times({3})), Error);
  EXPECT_THROW(diffusion.posterior(batch.logits, batch.xt, 3, 3), Error);
  EXPECT_THROW(diffusion.sample_step(batch.logits, batch.xt, 3, 2, batch.uniform[0]), Error);
  EXPECT_THROW(CategoricalDiffusion(NoiseSchedule("cosine", 8), 1), Error);
}

}  // namespace
}  // namespace guidegen
