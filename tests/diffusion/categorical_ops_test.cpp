#include <ATen/core/dispatch/Dispatcher.h>
#include <gmock/gmock.h>

#include "diffusion/categorical_reference.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/diffusion/categorical.hpp"
#include "nn/test_device.hpp"

// The operators on the device of $GUIDEGEN_TEST_DEVICE. What only the CPU promises, such as errors
// for values out of range, is in categorical_test.cpp.

namespace guidegen {
namespace {

using ::guidegen::toy::CategoricalCase;
using ::guidegen::toy::CategoricalReference;
using ::guidegen::toy::test_device;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int64_t kSteps = 6;
constexpr auto kLast = at::MemoryFormat::ChannelsLast3d;

at::Tensor times(const std::vector<int64_t>& values, c10::Device device = test_device()) {
  return at::tensor(values, at::kLong).to(device);
}

at::Tensor to_labels(const at::Tensor& x, at::ScalarType type) {
  return x.to(type).to(test_device());
}

/// The largest relative error of a value rounded to the type.
double rounding(at::ScalarType type) {
  return type == at::kBFloat16 ? 1.0 / 256 : type == at::kHalf ? 1.0 / 2048 : 2e-6;
}

struct Variant {
  int64_t labels;
  at::ScalarType type, label_type;
  at::MemoryFormat format;
};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const int64_t labels : {2, 20, 118, 300}) {
    for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      for (const auto label_type : {at::kByte, at::kUInt16}) {
        if (label_type == at::kByte && labels > 256) continue;
        for (const auto format : {at::MemoryFormat::Contiguous, kLast}) {
          all.push_back({labels, type, label_type, format});
        }
      }
    }
  }
  return all;
}

std::string name_of(const ::testing::TestParamInfo<Variant>& info) {
  const Variant& v = info.param;
  return "K" + std::to_string(v.labels) + c10::toString(v.type) + c10::toString(v.label_type) +
         (v.format == kLast ? "Last" : "Plain");
}

class CategoricalOps : public ::testing::TestWithParam<Variant> {
 protected:
  /// Several blocks and tiles, the last one partial, where the reference can afford them.
  std::vector<int64_t> dhw() const {
    return GetParam().labels <= 20 ? std::vector<int64_t>{5, 7, 9} : std::vector<int64_t>{2, 3, 3};
  }
  at::Tensor logits_of(const CategoricalCase& in) const {
    return in.logits.clone().to(GetParam().type).contiguous(GetParam().format).to(test_device());
  }
  at::Tensor labels_of(const at::Tensor& x) const { return to_labels(x, GetParam().label_type); }

  NoiseSchedule schedule_{"cosine", kSteps};
  CategoricalDiffusion diffusion_{schedule_, GetParam().labels};
};

INSTANTIATE_TEST_SUITE_P(All, CategoricalOps, ::testing::ValuesIn(variants()), name_of);

TEST_P(CategoricalOps, LossAndGradientEqualTheMatrixForm) {
  const CategoricalCase in(GetParam().labels, {1, 4, kSteps}, dhw());
  struct Weights {
    double kl, ce;
    bool voxels;
  };
  for (const Weights w : {Weights{0.7, 0.3, true}, {1, 0, false}, {0, 1, false}}) {
    SCOPED_TRACE(::testing::Message() << "kl " << w.kl << " ce " << w.ce);
    const at::Tensor logits = logits_of(in).requires_grad_();
    const auto loss = diffusion_.loss(logits, labels_of(in.x0), labels_of(in.xt), times(in.t), w.kl,
                                      w.ce, w.voxels ? in.weight.to(test_device()) : at::Tensor());
    loss.total.backward();
    const auto expected = in.expected(schedule_, w.kl, w.ce, w.voxels);
    EXPECT_NEAR(loss.kl.item<double>(), expected.kl, 2e-6 * (1 + expected.kl));
    EXPECT_NEAR(loss.cross_entropy.item<double>(), expected.cross_entropy,
                2e-6 * (1 + expected.cross_entropy));
    EXPECT_NEAR(loss.total.item<double>(), expected.total, 2e-6 * (1 + expected.total));

    const at::Tensor gradient = logits.grad();
    EXPECT_EQ(gradient.scalar_type(), GetParam().type);
    EXPECT_EQ(gradient.strides(), logits.strides());
    EXPECT_EQ(gradient.device(), logits.device());
    EXPECT_EQ(loss.total.scalar_type(), at::kFloat);
    // The gradient of one voxel is of the order of 1/count; float16 ends at 6e-8.
    const double least =
        3e-6 / static_cast<double>(in.x0.numel()) + (GetParam().type == at::kHalf ? 6e-8 : 0);
    EXPECT_TRUE(at::allclose(gradient.cpu().to(at::kDouble), expected.gradient,
                             rounding(GetParam().type), least));
  }
}

TEST_P(CategoricalOps, PosteriorAndSampleFollowTheMatrixForm) {
  const CategoricalCase in(GetParam().labels, {1, 1}, dhw());
  const at::Tensor logits = logits_of(in);
  const at::Tensor xt = labels_of(in.xt);
  const CategoricalReference reference(schedule_, in.labels);
  for (const auto& [t, s] : {std::pair{1, 0}, {4, 2}, {6, 5}, {6, 0}}) {
    SCOPED_TRACE(::testing::Message() << "t " << t << " s " << s);
    const at::Tensor ours = diffusion_.posterior(logits, xt, t, s);
    EXPECT_EQ(ours.scalar_type(), at::kFloat);
    EXPECT_TRUE(ours.is_contiguous());
    const at::Tensor drawn = diffusion_.sample_step(logits, xt, t, s, in.uniform.to(test_device()));
    EXPECT_EQ(drawn.scalar_type(), GetParam().label_type);
    for (int64_t b = 0; b < 2; ++b) {
      const at::Tensor exact =
          reference.posterior(in.logits[b].flatten(1).to(at::kDouble), in.xt[b].flatten(), t, s);
      EXPECT_LT((ours[b].cpu().flatten(1) - exact).abs().max().item<double>(), 1e-6);
      const at::Tensor index = drawn[b].cpu().to(at::kLong).view({1, -1});
      const at::Tensor above = exact.cumsum(0).gather(0, index);
      const at::Tensor below = above - exact.gather(0, index);
      const at::Tensor uniform = in.uniform[b].view({1, -1});
      EXPECT_TRUE((uniform <= above + 2e-6).all().item<bool>());
      EXPECT_TRUE((uniform >= below - 2e-6).all().item<bool>());
    }
  }
}

TEST_P(CategoricalOps, NoiseKeepsOrDrawsALabel) {
  const CategoricalCase in(GetParam().labels, {0, 1, 4, kSteps}, dhw());
  const at::Tensor x0 = labels_of(in.x0);
  const at::Tensor xt = diffusion_.add_noise(x0, times(in.t), in.uniform.to(test_device()));
  EXPECT_EQ(xt.scalar_type(), GetParam().label_type);
  for (size_t b = 0; b < in.t.size(); ++b) {
    const auto i = static_cast<int64_t>(b);
    const double keep = schedule_.alpha_bar(in.t[b]);
    const at::Tensor uniform = in.uniform[i].to(at::kDouble);
    const at::Tensor drawn = ((uniform - keep) * (static_cast<double>(in.labels) / (1 - keep)))
                                 .floor()
                                 .clamp(0, static_cast<double>(in.labels - 1))
                                 .to(at::kLong);
    const at::Tensor expected = at::where(uniform < keep, in.x0[i], drawn);
    EXPECT_TRUE(at::equal(xt[i].cpu().to(at::kLong), expected)) << in.t[b];
  }
}

class CategoricalGraph : public ::testing::Test {
 protected:
  CategoricalCase in_{5, {1, 4}, {3, 4, 5}};
  CategoricalDiffusion diffusion_{NoiseSchedule("cosine", kSteps), 5};
  at::Tensor logits_ = in_.logits.clone().to(test_device()).requires_grad_();

  CategoricalDiffusion::Loss loss() const {
    return diffusion_.loss(logits_, to_labels(in_.x0, at::kByte), to_labels(in_.xt, at::kByte),
                           times(in_.t), 0.7, 0.3);
  }
  at::Tensor plain_gradient() const {
    loss().total.backward();
    const at::Tensor gradient = logits_.grad().clone();
    logits_.mutable_grad() = at::Tensor();
    return gradient;
  }
};

TEST_F(CategoricalGraph, AFactorOutsideScalesTheGradient) {
  const at::Tensor once = plain_gradient();
  (loss().total * -2.5).backward();
  EXPECT_TRUE(at::allclose(logits_.grad(), once * -2.5, 1e-6, 1e-12));
}

TEST_F(CategoricalGraph, AKeptGraphGivesTheGradientAgain) {
  const at::Tensor once = plain_gradient();
  const at::Tensor scaled = loss().total * 3.0;
  scaled.backward({}, /*retain_graph=*/true);
  scaled.backward();
  EXPECT_TRUE(at::allclose(logits_.grad(), once * 6.0, 1e-6, 1e-12));
}

TEST_F(CategoricalGraph, OnlyTheTotalCarriesAGradient) {
  const auto all = loss();
  EXPECT_TRUE(all.total.requires_grad());
  EXPECT_FALSE(all.kl.requires_grad());
  EXPECT_FALSE(all.cross_entropy.requires_grad());
}

TEST_F(CategoricalGraph, TheOperatorIsFoundByItsName) {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("guidegen::categorical_loss", "");
  std::vector<double> table;
  for (int64_t t = 0; t <= kSteps; ++t) table.push_back(diffusion_.schedule().alpha_bar(t));
  torch::jit::Stack stack{logits_.detach(),
                          to_labels(in_.x0, at::kByte),
                          to_labels(in_.xt, at::kByte),
                          times(in_.t),
                          at::tensor(table, at::kDouble).to(test_device()),
                          0.7,
                          0.3,
                          c10::IValue(),
                          true};
  op.callBoxed(stack);
  ASSERT_EQ(stack.size(), 3U);
  EXPECT_EQ(stack[0].toTensor().item<float>(), loss().total.item<float>());
  EXPECT_TRUE(at::equal(stack[2].toTensor(), plain_gradient()));
}

TEST(CategoricalMeta, AStepRunsOnShapesAlone) {
  const c10::Device meta(c10::kMeta);
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 300);
  const auto options = at::TensorOptions(meta);
  for (const auto format : {at::MemoryFormat::Contiguous, kLast}) {
    const at::Tensor x0 = at::empty({2, 4, 5, 6}, options.dtype(at::kUInt16));
    const at::Tensor uniform = at::empty({2, 4, 5, 6}, options.dtype(at::kFloat));
    // Times may be on the device or not.
    const at::Tensor xt = diffusion.add_noise(x0, times({1, 4}, meta), uniform);
    EXPECT_EQ(xt.scalar_type(), at::kUInt16);
    EXPECT_EQ(xt.sizes(), x0.sizes());
    const at::Tensor logits =
        at::empty({2, 300, 4, 5, 6}, options.dtype(at::kBFloat16), format).requires_grad_();
    const auto loss = diffusion.loss(logits, x0, xt, times({1, 4}, c10::kCPU), 1, 0.1, uniform);
    EXPECT_EQ(loss.total.dim(), 0);
    EXPECT_EQ(loss.kl.scalar_type(), at::kFloat);
    (loss.total * 2).backward();
    EXPECT_EQ(logits.grad().scalar_type(), at::kBFloat16);
    EXPECT_EQ(logits.grad().strides(), logits.strides());
    EXPECT_TRUE(logits.grad().is_meta());
    EXPECT_EQ(diffusion.sample_step(logits, xt, 4, 2, uniform).sizes(), xt.sizes());
    EXPECT_EQ(diffusion.posterior(logits, xt, 4, 2).scalar_type(), at::kFloat);
  }
}

TEST(CategoricalMeta, ShapesAndTypesAreCheckedThereToo) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), 5);
  for (const c10::Device device : {test_device(), c10::Device(c10::kMeta)}) {
    const auto make = [&](at::IntArrayRef shape, at::ScalarType type) {
      return at::zeros(shape, at::TensorOptions(device).dtype(type));
    };
    const at::Tensor logits = make({1, 5, 2, 2, 2}, at::kFloat);
    const at::Tensor x = make({1, 2, 2, 2}, at::kByte);
    const auto loss = [&](const at::Tensor& y, const at::Tensor& x0, const at::Tensor& xt,
                          const at::Tensor& t, const at::Tensor& weight = {}) {
      return [=] { diffusion.loss(y, x0, xt, t, 1, 1, weight); };
    };
    const at::Tensor t = times({1}, device);
    EXPECT_THAT(loss(logits.to(at::kDouble), x, x, t),
                ThrowsMessage<Error>(HasSubstr("expected Float, BFloat16 or Half")));
    EXPECT_THAT(loss(logits, x, x.to(at::kInt), t),
                ThrowsMessage<Error>(HasSubstr("x_t is Int for 5 labels, expected uint8")));
    EXPECT_THAT(loss(logits, x.to(at::kUInt16), x, t),
                ThrowsMessage<Error>(HasSubstr("expected the same")));
    EXPECT_THAT(loss(logits, x, x, t.to(at::kInt)),
                ThrowsMessage<Error>(HasSubstr("t is Int [1], expected Long [1]")));
    EXPECT_THAT(loss(logits, x, x, t, make({1, 2, 2, 2}, at::kDouble)),
                ThrowsMessage<Error>(HasSubstr("weight is Double")));
    EXPECT_THAT(loss(logits.narrow(1, 0, 4), x, x, t),
                ThrowsMessage<Error>(HasSubstr("expected [B,5,D,H,W]")));
    EXPECT_THAT(
        [&] {
          diffusion.add_noise(x.to(at::kLong), t, make({1, 2, 2, 2}, at::kFloat));
        },
        ThrowsMessage<Error>(HasSubstr("x_0 is Long for 5 labels")));
    EXPECT_THAT(
        [&] {
          diffusion.sample_step(logits, x, 3, 2, make({1, 2, 2}, at::kFloat));
        },
        ThrowsMessage<Error>(HasSubstr("uniform is Float [1, 2, 2]")));
  }
  const CategoricalDiffusion many(NoiseSchedule("cosine", kSteps), 300);
  const at::Tensor bytes = at::zeros({1, 2, 2, 2}, at::kByte);
  EXPECT_THAT([&] { many.add_noise(bytes, times({1}, c10::kCPU), bytes.to(at::kFloat)); },
              ThrowsMessage<Error>(HasSubstr("x_0 is Byte for 300 labels, expected uint8 (up to")));
}

}  // namespace
}  // namespace guidegen
