#include "guidegen/nn/accelerator.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/blocks.hpp"
#include "guidegen/nn/graphed_function.hpp"
#include "nn/test_device.hpp"

namespace guidegen {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Device, TheProcessorIsAlwaysThere) { EXPECT_TRUE(resolve_device("cpu").is_cpu()); }

TEST(Device, AutoNeverFails) {
  EXPECT_EQ(resolve_device("auto").is_cuda(), accelerator() != nullptr);
}

TEST(Device, UnknownNamesAreRefused) {
  for (const char* text : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "CPU"}) {
    EXPECT_THAT([&] { resolve_device(text); },
                ThrowsMessage<Error>(AllOf(HasSubstr("--device"), HasSubstr("cuda:<number>"))))
        << text;
  }
}

TEST(Device, AMissingGpuIsNamed) {
  if (accelerator() != nullptr) {
    EXPECT_EQ(why_no_accelerator(), "");
    EXPECT_THAT([&] { resolve_device("cuda:999"); },
                ThrowsMessage<Error>(HasSubstr("--device cuda:999: this machine has")));
    return;
  }
  EXPECT_NE(why_no_accelerator(), "");
  for (const std::string text : {"cuda", "cuda:0"}) {
    EXPECT_THAT([&] { resolve_device(text); },
                ThrowsMessage<Error>(HasSubstr("--device " + text + ": " + why_no_accelerator())));
  }
}

TEST(Device, MemoryIsCounted) {
  if (toy::test_device().is_cpu()) GTEST_SKIP() << "needs GUIDEGEN_TEST_DEVICE=cuda";
  auto* gpu = accelerator();
  const auto before = gpu->memory(0).allocated;
  gpu->reset_peak_memory(0);
  {
    const auto block = at::empty({1 << 22}, at::TensorOptions(at::kCUDA).dtype(at::kByte));
    EXPECT_GE(gpu->memory(0).allocated, before + (1 << 22));
  }
  gpu->synchronize();
  const auto after = gpu->memory(0);
  EXPECT_EQ(after.allocated, before);
  EXPECT_GE(after.peak, before + (1 << 22));
  EXPECT_GT(after.total, after.peak);
  EXPECT_NE(gpu->device_name(0), "");
}

TEST(GraphedFunction, ReplaysWithNewInputsAndNewShapes) {
  const auto device = toy::test_device();
  torch::manual_seed(1);
  ResidualBlock3d block(4, 8, 3);
  for (auto& parameter : block->parameters()) torch::nn::init::normal_(parameter, 0.0, 0.3);
  block->to(device);
  int calls = 0;
  const auto plain = [&](const std::vector<at::Tensor>& in) {
    ++calls;
    return block->forward(in[0], in[1]);
  };
  GraphedFunction graphed(plain);
  const at::NoGradGuard no_grad;
  for (const int64_t size : {4, 6, 4, 6, 4}) {
    const auto x = at::randn({2, 4, size, 4, 4}).to(device);
    const auto embedding = at::randn({2, 3}).to(device);
    const auto result = graphed({x, embedding}).clone();
    EXPECT_TRUE(at::allclose(result, plain({x, embedding}), 1e-4, 1e-4)) << size;
  }
  // Five plain calls to compare with, and on a GPU only those that warm up and record.
  const int own = calls - 5;
  EXPECT_EQ(own, device.is_cpu() ? 5 : 2 * 4);
}

TEST(GraphedFunction, ForgetsTheShapeUnusedForLongest) {
  const auto device = toy::test_device();
  GraphedFunction graphed([](const std::vector<at::Tensor>& in) { return in[0] * 2; });
  const at::NoGradGuard no_grad;
  for (int64_t round = 0; round < 2; ++round) {
    for (int64_t size = 1; size <= 2 * static_cast<int64_t>(GraphedFunction::kMost); ++size) {
      const auto x = at::full({size}, static_cast<double>(size + round), device);
      EXPECT_TRUE(at::equal(graphed({x}), x * 2));
    }
  }
}

TEST(GraphedFunction, GradientsTakeThePlainWay) {
  const auto device = toy::test_device();
  GraphedFunction graphed([](const std::vector<at::Tensor>& in) { return in[0].square(); });
  const auto x = at::ones({3}, device).requires_grad_();
  const auto gradient = torch::autograd::grad({graphed({x}).sum()}, {x})[0];
  EXPECT_TRUE(at::equal(gradient, at::full({3}, 2.0, device)));
}

}  // namespace
}  // namespace guidegen
