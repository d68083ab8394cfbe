#include "guidegen/nn/random_tensor.hpp"

#include <gtest/gtest.h>

namespace guidegen {
namespace {

RandomStream stream() { return {11, "case", "test"}; }

TEST(RandomTensor, NormalsAreStandard) {
  RandomStream source = stream();
  const at::Tensor x = random_normal(source, {10, 100, 100});
  EXPECT_EQ(x.sizes(), at::IntArrayRef({10, 100, 100}));
  EXPECT_EQ(x.scalar_type(), at::kFloat);
  EXPECT_NEAR(x.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(x.std().item<double>(), 1, 0.02);
}

TEST(RandomTensor, UniformsFillTheUnitInterval) {
  RandomStream source = stream();
  const at::Tensor x = random_uniform(source, {100'000});
  EXPECT_GE(x.min().item<float>(), 0);
  EXPECT_LT(x.max().item<float>(), 1);
  EXPECT_NEAR(x.mean().item<double>(), 0.5, 0.005);
  EXPECT_NEAR(x.var().item<double>(), 1.0 / 12, 0.002);
}

TEST(RandomTensor, DependsOnTheStreamAlone) {
  RandomStream first = stream();
  RandomStream second = stream();
  const at::Tensor a = random_normal(first, {3, 5});
  EXPECT_TRUE(at::equal(a, random_normal(second, {3, 5})));
  EXPECT_FALSE(at::equal(a, random_normal(second, {3, 5}))) << "the stream goes on";
  RandomStream other(11, "case", "other");
  EXPECT_FALSE(at::equal(a, random_normal(other, {3, 5})));
}

TEST(RandomTensor, EmptyTensorsAreFine) {
  RandomStream source = stream();
  EXPECT_EQ(random_normal(source, {0, 3}).numel(), 0);
  EXPECT_EQ(random_uniform(source, {2, 0}).numel(), 0);
}

}  // namespace
}  // namespace guidegen
