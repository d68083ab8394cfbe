#include "guidegen/train/optimizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

at::Tensor toy_loss(torch::nn::Linear& layer) {
  const auto x = torch::linspace(-1, 1, 12).view({4, 3});
  return (layer(x) - torch::sin(3 * x.sum(1, true))).square().mean();
}

TEST(Optimizer, AgreesWithLibTorchsAdamW) {
  torch::manual_seed(1);
  torch::nn::Linear ours(3, 1), theirs(3, 1);
  {
    const torch::NoGradGuard no_grad;
    theirs->weight.copy_(ours->weight);
    theirs->bias.copy_(ours->bias);
  }
  Optimizer::Options options;
  options.learning_rate = 0.01;
  options.final_share = 1.0;  // constant
  options.warmup_steps = 0;
  options.weight_decay = 0.1;
  options.clip_norm = 0;
  Optimizer optimizer(*ours, options, 50);
  torch::optim::AdamW reference(
      theirs->parameters(),
      torch::optim::AdamWOptions(0.01).betas({0.9, 0.99}).weight_decay(0.1).eps(1e-8));
  for (int64_t step = 0; step < 50; ++step) {
    toy_loss(ours).backward();
    optimizer.apply(step);
    reference.zero_grad();
    toy_loss(theirs).backward();
    reference.step();
  }
  EXPECT_TRUE(torch::allclose(ours->weight, theirs->weight, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(ours->bias, theirs->bias, 1e-4, 1e-5));
}

TEST(Optimizer, ClipsByGlobalNormAndReportsTheNormBefore) {
  torch::nn::Linear layer(3, 1);
  Optimizer::Options options;
  options.clip_norm = 1e-9;  // so small that AdamW's epsilon dominates: weights hardly move
  options.weight_decay = 0;
  options.learning_rate = 1.0;
  options.warmup_steps = 0;
  Optimizer optimizer(*layer, options, 10);
  const auto before = layer->weight.detach().clone();
  toy_loss(layer).backward();
  double squared = 0;
  for (const auto& p : layer->parameters()) squared += p.grad().square().sum().item<double>();
  EXPECT_NEAR(optimizer.apply(0).item<double>(), std::sqrt(squared), 1e-5);
  EXPECT_LT((layer->weight - before).abs().max().item<double>(), 0.2);
}

TEST(Optimizer, SkipsAStepWhoseGradientIsNotFinite) {
  torch::nn::Linear layer(3, 1);
  Optimizer optimizer(*layer, {}, 10);
  const auto before = layer->weight.detach().clone();
  (toy_loss(layer) * std::numeric_limits<float>::infinity()).backward();
  EXPECT_FALSE(std::isfinite(optimizer.apply(0).item<double>()));
  EXPECT_TRUE(layer->weight.equal(before));
  EXPECT_EQ(optimizer.bad_steps(), 1);
  EXPECT_EQ(optimizer.state().at("step.weight").item<float>(), 0.0F);
  toy_loss(layer).backward();
  EXPECT_TRUE(std::isfinite(optimizer.apply(1).item<double>()));
  EXPECT_FALSE(layer->weight.equal(before));
  EXPECT_EQ(optimizer.bad_steps(), 0);
}

TEST(Optimizer, NamesAWeightWithoutGradient) {
  torch::nn::Linear layer(3, 1);
  Optimizer optimizer(*layer, {}, 10);
  EXPECT_THAT([&] { optimizer.apply(0); }, throws_failure(::testing::HasSubstr("weight")));
}

TEST(Optimizer, LeavesFrozenWeightsAlone) {
  torch::nn::Linear layer(3, 1);
  layer->bias.set_requires_grad(false);
  const Optimizer optimizer(*layer, {}, 10);
  EXPECT_EQ(optimizer.parameters().size(), 1U);
  EXPECT_EQ(optimizer.state().count("ema.bias"), 0U);
  EXPECT_EQ(optimizer.averaged_state().count("bias"), 1U);
}

TEST(Optimizer, SwappingAveragesTwiceChangesNothing) {
  torch::nn::Linear layer(3, 1);
  Optimizer optimizer(*layer, {}, 10);
  toy_loss(layer).backward();
  optimizer.apply(0);
  const auto weight = layer->weight.detach().clone();
  const auto average = optimizer.averaged_state().at("weight").clone();
  optimizer.swap_averages();
  EXPECT_TRUE(layer->weight.equal(average));
  EXPECT_TRUE(optimizer.averaged_state().at("weight").equal(weight));
  optimizer.swap_averages();
  EXPECT_TRUE(layer->weight.equal(weight));
}

TEST(Optimizer, AverageFollowsTheWeights) {
  torch::nn::Linear layer(3, 1);
  Optimizer::Options options;
  options.ema_decay = 0.5;
  Optimizer optimizer(*layer, options, 10);
  auto expected = layer->weight.detach().clone();
  for (int64_t step = 0; step < 5; ++step) {
    toy_loss(layer).backward();
    optimizer.apply(step);
    const double decay = std::min(0.5, double(1 + step) / double(10 + step));
    expected = decay * expected + (1 - decay) * layer->weight.detach();
  }
  EXPECT_TRUE(torch::allclose(optimizer.averaged_state().at("weight"), expected, 1e-5, 1e-7));
}

TEST(Optimizer, LearningRateWarmsUpAndDecays) {
  torch::nn::Linear layer(3, 1);
  Optimizer::Options options;
  options.learning_rate = 1.0;
  options.warmup_steps = 10;
  options.final_share = 0.1;
  const Optimizer optimizer(*layer, options, 1000);
  EXPECT_NEAR(optimizer.learning_rate(0), 0.1, 1e-6);
  EXPECT_NEAR(optimizer.learning_rate(500), 0.55, 1e-2);
  EXPECT_NEAR(optimizer.learning_rate(1000), 0.1, 1e-6);
}

}  // namespace
}  // namespace guidegen
