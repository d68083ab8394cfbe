#include "guidegen/nn/group_norm.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/blocks.hpp"
#include "nn/test_device.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Operands of one call, on the device under test, and the weights of its result in a loss.
struct Operands {
  at::Tensor x, weight, bias, scale, shift, dy;
  int64_t groups;

  std::vector<at::Tensor> differentiable() const {
    std::vector<at::Tensor> out{x, weight, bias};
    if (scale.defined()) out.insert(out.end(), {scale, shift});
    return out;
  }
};

struct Case {
  std::vector<int64_t> sizes;
  int64_t groups;
  at::ScalarType type = at::kFloat;
  bool channels_last = true;
  bool modulated = true;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << at::IntArrayRef(c.sizes) << " in " << c.groups << " groups, " << c.type
       << (c.channels_last ? ", channels last" : ", contiguous")
       << (c.modulated ? ", modulated" : "");
}

at::Tensor in_format(const at::Tensor& x, bool channels_last) {
  if (!channels_last || x.dim() < 4) return x.contiguous();
  return x.contiguous(x.dim() == 5 ? at::MemoryFormat::ChannelsLast3d
                                   : at::MemoryFormat::ChannelsLast);
}

Operands make(const Case& c, double mean = 0.5) {
  auto generator = at::detail::createCPUGenerator(17);
  const auto draw = [&](std::vector<int64_t> sizes) {
    return at::randn(sizes, generator, at::TensorOptions(at::kFloat));
  };
  const auto device = toy::test_device();
  const auto place = [&](const at::Tensor& t) { return t.to(device); };
  const int64_t batch = c.sizes[0], channels = c.sizes[1];
  Operands out;
  out.groups = c.groups;
  out.x = place(in_format((draw(c.sizes) * 1.5 + mean).to(c.type), c.channels_last));
  out.weight = place(draw({channels}) * 0.5 + 1);
  out.bias = place(draw({channels}));
  if (c.modulated) {
    out.scale = place(draw({batch, channels}) * 0.3);
    out.shift = place(draw({batch, channels}));
  }
  out.dy = place(in_format(draw(c.sizes).to(c.type), c.channels_last));
  for (auto& t : out.differentiable()) t.requires_grad_();
  return out;
}

/// The same operands on the CPU in float64.
Operands exact(const Operands& o) {
  const auto to_double = [](const at::Tensor& t) {
    return t.defined() ? t.detach().to(at::kCPU, at::kDouble).requires_grad_() : t;
  };
  return {to_double(o.x),     to_double(o.weight), to_double(o.bias), to_double(o.scale),
          to_double(o.shift), to_double(o.dy),     o.groups};
}

/// LibTorch's own operators, one after the other.
at::Tensor reference(const Operands& o) {
  auto h = at::group_norm(o.x, o.groups, o.weight, o.bias, 1e-5);
  if (o.scale.defined()) {
    std::vector<int64_t> sizes(o.x.dim(), 1);
    sizes[0] = o.x.size(0), sizes[1] = o.x.size(1);
    h = h * (1 + o.scale.view(sizes)) + o.shift.view(sizes);
  }
  return at::silu(h);
}

at::Tensor ours(const Operands& o) {
  return group_norm_silu(o.x, o.groups, o.weight, o.bias, o.scale, o.shift);
}

/// Largest difference, relative to the largest value expected.
double difference(const at::Tensor& a, const at::Tensor& expected) {
  const auto scale = std::max(expected.abs().max().item<double>(), 1e-3);
  return (a.detach().to(at::kCPU, at::kDouble) - expected).abs().max().item<double>() / scale;
}

class GroupNormSilu : public ::testing::TestWithParam<Case> {};

TEST_P(GroupNormSilu, AgreesWithSeparateOperatorsInFloat64) {
  const auto operands = make(GetParam());
  const auto precise = exact(operands);
  // Results have the precision of their type; sums over many voxels that of float32.
  const double tolerance = GetParam().type == at::kFloat      ? 2e-5
                           : GetParam().type == at::kBFloat16 ? 1e-2
                                                              : 2e-3;
  const auto y = ours(operands);
  const auto expected = reference(precise);
  EXPECT_EQ(y.scalar_type(), operands.x.scalar_type());
  EXPECT_EQ(y.strides(), operands.x.strides());
  EXPECT_LT(difference(y, expected.detach()), tolerance);

  const auto gradients = torch::autograd::grad({y}, operands.differentiable(), {operands.dy});
  const auto expected_gradients =
      torch::autograd::grad({expected}, precise.differentiable(), {precise.dy});
  const std::vector<std::string> names{"x", "weight", "bias", "scale", "shift"};
  for (size_t i = 0; i < gradients.size(); ++i) {
    EXPECT_EQ(gradients[i].scalar_type(), operands.differentiable()[i].scalar_type()) << names[i];
    const double allowed = i == 0 ? tolerance : 1e-4;
    EXPECT_LT(difference(gradients[i], expected_gradients[i]), allowed)
        << "gradient of " << names[i];
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, GroupNormSilu,
    ::testing::Values(
        Case{{2, 24, 8, 9, 10}, 8}, Case{{2, 24, 8, 9, 10}, 8, at::kFloat, false},
        Case{{2, 24, 8, 9, 10}, 8, at::kBFloat16}, Case{{2, 24, 8, 9, 10}, 8, at::kBFloat16, false},
        Case{{2, 24, 8, 9, 10}, 8, at::kHalf}, Case{{2, 24, 8, 9, 10}, 8, at::kHalf, false},
        Case{{2, 24, 8, 9, 10}, 8, at::kFloat, true, false},
        Case{{2, 24, 8, 8, 8}, 8, at::kBFloat16, false, false}, Case{{3, 5, 7, 3, 11}, 1},
        Case{{3, 5, 7, 3, 11}, 5, at::kBFloat16}, Case{{3, 5, 7, 3, 11}, 5, at::kFloat, false},
        Case{{2, 7, 1, 1, 1}, 1}, Case{{1, 1, 3, 3, 3}, 1}, Case{{2, 96, 2, 2, 2}, 8},
        Case{{1, 1040, 2, 1, 3}, 8}, Case{{1, 2304, 2, 1, 3}, 8, at::kBFloat16},
        Case{{2, 6, 40, 40}, 3}, Case{{2, 6, 31}, 2, at::kFloat, false},
        Case{{5, 12}, 4, at::kFloat, false}, Case{{2, 8, 40, 41, 42}, 4},
        Case{{1, 3, 40, 41, 42}, 3, at::kFloat, false}));

TEST(GroupNormSiluGradient, AgreesWithFiniteDifferences) {
  const auto operands = make({{1, 4, 2, 1, 2}, 2});
  const auto loss = [&] { return (ours(operands) * operands.dy).sum(); };
  const auto gradients = torch::autograd::grad({loss()}, operands.differentiable());
  constexpr float kStep = 1.0F / 64;
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const at::Tensor operand = operands.differentiable()[i];
    const auto before = operand.detach().clone();
    for (int64_t j = 0; j < operand.numel(); ++j) {
      auto step = at::zeros({operand.numel()}, operand.options());
      step[j] = kStep;
      // As the values lie in memory, whatever the format.
      step = step.as_strided(operand.sizes(), operand.strides());
      operand.copy_(before + step);
      const auto above = loss().item<double>();
      operand.copy_(before - step);
      const auto below = loss().item<double>();
      operand.copy_(before);
      EXPECT_NEAR((gradients[i] * step).sum().item<double>() / kStep, (above - below) / (2 * kStep),
                  5e-3)
          << "operand " << i << ", value " << j;
    }
  }
}

TEST(GroupNormSiluPrecision, SurvivesAMeanThatIsLargeAgainstTheDeviation) {
  for (const bool channels_last : {true, false}) {
    const auto operands = make({{2, 8, 12, 12, 12}, 2, at::kFloat, channels_last}, 300.0);
    const auto expected = reference(exact(operands));
    EXPECT_LT(difference(ours(operands), expected.detach()), 2e-4);
  }
}

TEST(GroupNormSiluPrecision, ConstantInputGivesTheBiasAlone) {
  const auto x = at::full({1, 4, 5, 5, 5}, 3.0, toy::test_device());
  const auto ones = at::ones({4}, x.options());
  // The slope is 1 / sqrt(eps) here, which leaves 3 digits less.
  EXPECT_LT(difference(group_norm_silu(x, 2, ones, ones),
                       at::full({1, 4, 5, 5, 5}, 1 / (1 + std::exp(-1.0)), at::kDouble)),
            2e-4);
}

TEST(GroupNormSiluDeterminism, SameBitsForAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  for (const bool channels_last : {true, false}) {
    const auto operands = make({{2, 24, 20, 20, 20}, 8, at::kFloat, channels_last});
    std::vector<std::vector<at::Tensor>> results;
    for (const int threads : {1, 2, 3}) {
      at::set_num_threads(threads);
      const auto y = ours(operands);
      results.push_back(torch::autograd::grad({y}, operands.differentiable(), {operands.dy}));
      results.back().push_back(y);
    }
    at::set_num_threads(before);
    for (size_t i = 0; i < results[0].size(); ++i) {
      EXPECT_TRUE(at::equal(results[0][i], results[1][i])) << i;
      EXPECT_TRUE(at::equal(results[0][i], results[2][i])) << i;
    }
  }
}

TEST(GroupNormSiluMeta, KnowsShapesWithoutValues) {
  const auto options = at::TensorOptions(at::kMeta).dtype(at::kBFloat16);
  const auto x = at::empty({2, 6, 3, 4, 5}, options).requires_grad_();
  const auto weight = at::empty({6}, options.dtype(at::kFloat)).requires_grad_();
  const auto y = group_norm_silu(x, 3, weight, weight);
  EXPECT_EQ(y.sizes(), x.sizes());
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const auto gradients = torch::autograd::grad({y}, {x, weight}, {at::empty_like(y)});
  EXPECT_EQ(gradients[0].sizes(), x.sizes());
  EXPECT_EQ(gradients[1].sizes(), weight.sizes());
}

TEST(GroupNormSiluEmpty, NoSamplesGiveNoResultAndZeroGradients) {
  const auto x = at::empty({0, 4, 2, 2, 2}, toy::test_device()).requires_grad_();
  const auto weight = at::ones({4}, x.options()).requires_grad_();
  const auto y = group_norm_silu(x, 2, weight, weight);
  EXPECT_EQ(y.sizes(), x.sizes());
  EXPECT_TRUE(at::equal(torch::autograd::grad({y.sum()}, {weight})[0], at::zeros_like(weight)));
}

TEST(GroupNormSiluErrors, NameTheOperand) {
  const auto x = at::ones({2, 6, 3, 3, 3});
  const auto w = at::ones({6});
  const auto pair = at::ones({2, 6});
  const auto refuses = [](const auto& call, const std::string& part) {
    EXPECT_THAT(call, ThrowsMessage<Error>(HasSubstr(part)));
  };
  refuses([&] { group_norm_silu(x, 4, w, w); }, "4 groups do not divide 6 channels");
  refuses([&] { group_norm_silu(x.to(at::kDouble), 3, w, w); }, "x is Double");
  refuses([&] { group_norm_silu(x, 3, at::ones({5}), w); }, "weight is [5], expected [6]");
  refuses([&] { group_norm_silu(x, 3, w, w, pair); }, "come together");
  refuses([&] { group_norm_silu(x, 3, w, w, pair, at::ones({1, 6})); }, "shift is [1, 6]");
}

TEST(ResidualBlock, ComputesWhatItsModulesSay) {
  torch::manual_seed(3);
  ResidualBlock3d block(6, 8, 5);
  for (auto& parameter : block->parameters()) torch::nn::init::normal_(parameter, 0.1, 0.3);
  const auto device = toy::test_device();
  block->to(device);
  const auto x = at::randn({2, 6, 5, 4, 3}).to(device), embedding = at::randn({2, 5}).to(device);
  const auto find = [&](const std::string& name) { return block->named_parameters()[name]; };
  const auto modulation =
      at::linear(at::silu(embedding), find("modulation.weight"), find("modulation.bias"))
          .chunk(2, 1);
  auto h = at::silu(at::group_norm(x, norm_groups(6), find("norm1.weight"), find("norm1.bias")));
  h = at::conv3d(h, find("conv1.weight"), find("conv1.bias"), 1, 1);
  h = at::group_norm(h, norm_groups(8), find("norm2.weight"), find("norm2.bias"));
  h = at::silu(h * (1 + modulation[0].view({2, 8, 1, 1, 1})) + modulation[1].view({2, 8, 1, 1, 1}));
  h = at::conv3d(h, find("conv2.weight"), find("conv2.bias"), 1, 1);
  const auto expected = h + at::conv3d(x, find("skip.weight"), find("skip.bias"));
  EXPECT_TRUE(at::allclose(block->forward(x, embedding), expected, 1e-3, 1e-4));
}

}  // namespace
}  // namespace guidegen
