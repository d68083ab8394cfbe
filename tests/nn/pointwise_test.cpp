#include "guidegen/nn/pointwise.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace guidegen {
namespace {

at::Tensor some_features(at::MemoryFormat format) {
  return torch::randn({2, 6, 4, 8, 12}).contiguous(format);
}

class Pointwise : public ::testing::TestWithParam<at::MemoryFormat> {
 protected:
  void SetUp() override { torch::manual_seed(3); }
};

TEST_P(Pointwise, GivesWhatTheConvolutionGivesAndItsGradients) {
  const torch::nn::Conv3d conv(torch::nn::Conv3dOptions(6, 10, 1));
  const auto x = some_features(GetParam()).requires_grad_();
  const auto gradient = torch::randn({2, 10, 4, 8, 12});
  const std::vector<at::Tensor> inputs = {x, conv->weight, conv->bias};
  torch::nn::Conv3d same = conv;  // shares the weights
  const auto expected = same(x);
  const auto expected_gradients = torch::autograd::grad({expected}, inputs, {gradient});
  const auto found = pointwise(conv, x);
  const auto found_gradients = torch::autograd::grad({found}, inputs, {gradient});
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_TRUE(torch::allclose(found, expected, 1e-4, 1e-5));
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(found_gradients[i].sizes(), inputs[i].sizes());
    EXPECT_TRUE(torch::allclose(found_gradients[i], expected_gradients[i], 1e-4, 1e-3)) << i;
  }
}

TEST_P(Pointwise, BlockMeanGivesWhatAveragePoolingGives) {
  const auto x = some_features(GetParam());
  for (const int64_t factor : {1, 2, 4}) {
    const auto found = block_mean(x, factor);
    EXPECT_TRUE(torch::allclose(found, at::avg_pool3d(x, factor), 1e-5, 1e-6)) << factor;
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, Pointwise,
                         ::testing::Values(at::MemoryFormat::Contiguous,
                                           at::MemoryFormat::ChannelsLast3d));

TEST(PointwiseLayout, ChannelsLastStaysWithoutACopy) {
  const torch::nn::Conv3d conv(torch::nn::Conv3dOptions(6, 10, 1));
  const auto x = some_features(at::MemoryFormat::ChannelsLast3d);
  EXPECT_TRUE(pointwise(conv, x).is_contiguous(at::MemoryFormat::ChannelsLast3d));
  EXPECT_TRUE(block_mean(x, 2).is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

}  // namespace
}  // namespace guidegen
