#include "guidegen/stages/likely_labels.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace guidegen {
namespace {

at::Tensor log_of(const at::Tensor& probabilities) { return torch::log(probabilities); }

TEST(LikelyLabels, TakesTheLikeliestWhereNothingIsInDoubt) {
  torch::manual_seed(1);
  const auto label = torch::randint(0, 5, {1000});
  const auto sure = 0.001 + 0.995 * torch::one_hot(label, 5).t().to(at::kFloat);
  EXPECT_TRUE(likely_labels(log_of(sure)).equal(label));
}

TEST(LikelyLabels, GivesEveryLabelItsExpectedVolume) {
  torch::manual_seed(2);
  // Label 2 is nowhere the likeliest, and yet a tenth of the voxels are expected to hold it.
  auto p = torch::rand({3, 20000}) * 0.2;
  p[0] += 1.0;
  p[1].slice(0, 0, 8000) += 1.5;
  p[2].slice(0, 10000, 20000) += 0.4;
  p /= p.sum(0);
  const auto labels = likely_labels(log_of(p));
  EXPECT_EQ((p.argmax(0) == 2).sum().item<int64_t>(), 0);
  const auto counts = labels.bincount({}, 3).to(at::kDouble);
  const auto expected = p.sum(1).to(at::kDouble);
  for (int64_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(counts[k].item<double>() / expected[k].item<double>(), 1.0, 0.1) << k;
  }
}

TEST(LikelyLabels, PicksTheLikeliestVoxelsOfALabel) {
  auto p = torch::empty({2, 100});
  p[1] = torch::linspace(0.0, 0.45, 100);
  p[0] = 1 - p[1];
  const auto labels = likely_labels(log_of(p + 1e-6));
  const auto chosen = labels.nonzero().flatten();
  EXPECT_NEAR(double(chosen.numel()), 22.5, 3);
  EXPECT_EQ(chosen.min().item<int64_t>(), 100 - chosen.numel()) << "the most probable ones";
}

TEST(LikelyLabels, DoesNotMakeUpWhatIsUnlikelyEverywhere) {
  auto p = torch::full({2, 1000}, 0.02);
  p[0] = 0.98 - 1e-3;
  // Twenty voxels are expected, but to put them somewhere takes more than two nats.
  EXPECT_EQ(likely_labels(log_of(p)).sum().item<int64_t>(), 0);
}

}  // namespace
}  // namespace guidegen
