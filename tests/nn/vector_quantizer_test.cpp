#include "guidegen/nn/vector_quantizer.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

VectorQuantizer make(int64_t codes, const std::string& update = "ema", int64_t channels = 3) {
  VectorQuantizerOptions options;
  options.codes = codes;
  options.update = update;
  options.dead_after = 5;
  options.decay = 0.8;
  VectorQuantizer quantizer(options, channels);
  quantizer->prepare_for_training();
  return quantizer;
}

// Latents [1,3,4,4,4] around `centers` [n,3].
at::Tensor around(const at::Tensor& centers, double spread) {
  const auto which = torch::arange(64).remainder(centers.size(0));
  const auto rows = centers.index_select(0, which) + spread * torch::randn({64, 3});
  return rows.t().reshape({1, 3, 4, 4, 4}).contiguous();
}

void step(VectorQuantizer& quantizer, const at::Tensor& z, int64_t index) {
  quantizer->forward(z);
  quantizer->end_step({}, RandomStream(1, concat("step-", index), "codes"));
}

TEST(VectorQuantizer, TakesTheNearestCode) {
  torch::manual_seed(1);
  auto quantizer = make(50);
  const auto z = torch::randn({2, 3, 3, 4, 5});
  quantizer->eval();
  const auto out = quantizer->forward(z);
  const auto rows = z.permute({0, 2, 3, 4, 1}).reshape({-1, 3});
  const auto expected = torch::cdist(rows, quantizer->codebook()).argmin(1);
  EXPECT_TRUE(out.codes.flatten().equal(expected));
  EXPECT_TRUE(out.latents.allclose(quantizer->look_up(out.codes)));
  EXPECT_EQ(out.latents.sizes(), z.sizes());
}

TEST(VectorQuantizer, GradientsPassStraightThroughAndHoldLatentsNearTheirCodes) {
  torch::manual_seed(1);
  auto quantizer = make(50);
  const auto z = torch::randn({1, 3, 2, 2, 2}).requires_grad_();
  auto out = quantizer->forward(z);
  out.latents.sum().backward();
  EXPECT_TRUE(z.grad().allclose(torch::ones_like(z)));
  z.mutable_grad() = at::Tensor();
  out = quantizer->forward(z);
  out.loss.backward();
  const auto pull = 2 * 0.25 / double(z.numel()) * (z - out.latents).detach();
  EXPECT_TRUE(z.grad().allclose(pull, 1e-4, 1e-7));
}

class CodebookTest : public ::testing::TestWithParam<std::string> {};

// Eight codes an expected cluster: with one each, codes that share a cluster at first stay there,
// as in any k-means.
TEST_P(CodebookTest, FindsTheClusters) {
  torch::manual_seed(1);
  auto quantizer = make(64, GetParam());
  const auto centers = 5 * torch::randn({8, 3});
  std::unique_ptr<torch::optim::SGD> optimizer;
  if (GetParam() == "gradient") {
    optimizer = std::make_unique<torch::optim::SGD>(quantizer->parameters(), 1.0);
  }
  for (int64_t i = 0; i < 200; ++i) {
    const auto out = quantizer->forward(around(centers, 0.01));
    if (optimizer) {
      optimizer->zero_grad();
      out.loss.backward();
      optimizer->step();
    }
    quantizer->end_step({}, RandomStream(1, concat("step-", i), "codes"));
  }
  const auto distance = torch::cdist(centers, quantizer->codebook()).amin(1);
  EXPECT_LT(distance.max().item<double>(), 0.2);  // every cluster has its code
  EXPECT_GE(quantizer->usage().perplexity.item<double>(), 8);
}

INSTANTIATE_TEST_SUITE_P(Updates, CodebookTest, ::testing::Values("ema", "gradient"));

TEST(VectorQuantizer, UnusedCodesCountAsDeadAndComeBack) {
  torch::manual_seed(1);
  auto quantizer = make(4);
  const auto two = torch::tensor({{3.0, 0.0, 0.0}, {-3.0, 0.0, 0.0}});
  for (int64_t i = 0; i < 20; ++i) step(quantizer, around(two, 0.001), i);
  EXPECT_LE(quantizer->usage().perplexity.item<double>(), 4.0);
  const auto four = torch::cat({two, torch::tensor({{0.0, 9.0, 0.0}, {0.0, -9.0, 0.0}})});
  for (int64_t i = 20; i < 60; ++i) step(quantizer, around(four, 0.001), i);
  EXPECT_LT(torch::cdist(four, quantizer->codebook()).amin(1).max().item<double>(), 0.1);
}

TEST(VectorQuantizer, ALatentThatIsNotFiniteChangesNothing) {
  torch::manual_seed(1);
  auto quantizer = make(8);
  for (int64_t i = 0; i < 3; ++i) step(quantizer, torch::randn({1, 3, 4, 4, 4}), i);
  const auto before = quantizer->codebook().clone();
  step(quantizer, torch::full({1, 3, 4, 4, 4}, NAN), 3);
  EXPECT_TRUE(quantizer->codebook().equal(before));
  step(quantizer, torch::randn({1, 3, 4, 4, 4}), 4);
  EXPECT_TRUE(quantizer->codebook().isfinite().all().item<bool>());
  EXPECT_FALSE(quantizer->codebook().equal(before));
}

TEST(VectorQuantizer, EvaluationLeavesTheCodesAlone) {
  auto quantizer = make(8);
  step(quantizer, torch::randn({1, 3, 4, 4, 4}), 0);
  quantizer->eval();
  const auto before = quantizer->codebook().clone();
  quantizer->forward(torch::randn({1, 3, 4, 4, 4}));
  quantizer->train();
  step(quantizer, torch::randn({1, 3, 4, 4, 4}), 1);
  EXPECT_FALSE(quantizer->codebook().equal(before));
}

// Two processes with half of the latents each end with the codes of one process with all of them.
TEST(VectorQuantizer, ProcessesAgree) {
  torch::manual_seed(1);
  auto alone = make(8);
  std::vector<VectorQuantizer> both = {make(8), make(8)};
  const torch::NoGradGuard no_grad;
  for (auto& quantizer : both) quantizer->codebook().copy_(alone->codebook());
  for (auto& quantizer : both) {
    for (auto& buffer : quantizer->named_buffers()) {
      if (buffer.key() == "training.mean_sum") buffer.value().copy_(alone->codebook());
      if (buffer.key() == "training.started")
        buffer.value().fill_(1);  // no random start: see below
    }
  }
  for (auto& buffer : alone->named_buffers()) {
    if (buffer.key() == "training.started") buffer.value().fill_(1);
  }
  for (int64_t i = 0; i < 4; ++i) {  // fewer than dead_after, so nothing is drawn
    const auto z = torch::randn({2, 3, 4, 4, 4});
    {
      const torch::AutoGradMode grad(true);
      alone->forward(z);
      both[0]->forward(z.slice(0, 0, 1));
      both[1]->forward(z.slice(0, 1, 2));
    }
    alone->end_step({}, RandomStream(1, "a", "codes"));
    // Lock step: each sum is done once both have come.
    std::mutex mutex;
    std::condition_variable arrived;
    std::vector<at::Tensor> waiting;
    int64_t round = 0;
    const auto sum = [&](at::Tensor values) {
      std::unique_lock lock(mutex);
      waiting.push_back(values);
      if (waiting.size() == 2) {
        const auto total = waiting[0] + waiting[1];
        for (auto& tensor : waiting) tensor.copy_(total);
        waiting.clear();
        ++round;
        arrived.notify_all();
      } else {
        arrived.wait(lock, [&, here = round] { return round > here; });
      }
    };
    std::vector<std::thread> threads;
    for (int64_t rank = 0; rank < 2; ++rank) {
      threads.emplace_back([&, rank] {
        both[size_t(rank)]->end_step({rank, 2, sum}, RandomStream(1, "a", "codes"));
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(both[0]->codebook().equal(both[1]->codebook()));
    EXPECT_TRUE(both[0]->codebook().allclose(alone->codebook(), 1e-5, 1e-6));
  }
}

TEST(VectorQuantizer, CodesOutsideTheBookAreRefused) {
  auto quantizer = make(8);
  EXPECT_THAT(
      [&] {
        quantizer->look_up(torch::full({1, 1, 1, 1}, 8));
      },
      throws_failure(::testing::HasSubstr("expected 0 to 7")));
}

}  // namespace
}  // namespace guidegen
