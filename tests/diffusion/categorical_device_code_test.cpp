#include <gtest/gtest.h>

#include "diffusion/categorical_reference.hpp"
#include "diffusion/categorical_tile.hpp"
#include "diffusion/categorical_voxel.hpp"

// What the CUDA kernels do in one thread, for all threads in turn on the CPU: the same functions,
// compiled for the host.

namespace guidegen::categorical {
namespace {

using ::guidegen::toy::CategoricalCase;
using ::guidegen::toy::CategoricalReference;

constexpr int64_t kSteps = 6;
constexpr auto kLast = at::MemoryFormat::ChannelsLast3d;

struct Run {
  VoxelLoss sum{0, 0};
  at::Tensor gradient;
};

/// The loss kernel for one case: tile by tile of `threads` voxels, or streaming with 0.
template <typename Scalar>
Run run_loss(const CategoricalCase& in, const NoiseSchedule& schedule, at::Tensor logits,
             int threads, float kl_scale, float ce_scale) {
  const int64_t voxels = in.x0[0].numel();
  const Layout layout{static_cast<int>(in.labels), voxels, !logits.is_contiguous()};
  Run out{{0, 0}, at::empty_like(logits)};
  const auto* from = logits.const_data_ptr<Scalar>();
  auto* to = out.gradient.mutable_data_ptr<Scalar>();
  const int width = threads > 0 ? threads : 32;
  const auto blocks = static_cast<int64_t>(in.t.size()) * ((voxels + width - 1) / width);
  const auto* x0 = in.x0.const_data_ptr<int64_t>();
  const auto* xt = in.xt.const_data_ptr<int64_t>();
  for (int64_t block = 0; block < blocks; ++block) {
    const TileSpan span(block, voxels, width);
    const int64_t t = in.t[static_cast<size_t>(span.sample)];
    const Transition transition(schedule.alpha_bar(t), schedule.alpha_bar(t - 1), in.labels);
    std::vector<float> tile(static_cast<size_t>(in.labels * tile_stride(width)));
    for (int i = 0; threads > 0 && i < width; ++i) {
      load_tile(from, layout, span, i, width, tile.data());
    }
    for (int i = 0; i < span.count; ++i) {
      const int64_t voxel = span.voxel(voxels, i);
      const VoxelInput input{static_cast<int>(x0[voxel]), static_cast<int>(xt[voxel]),
                             in.weight.const_data_ptr<float>()[voxel], kl_scale, ce_scale};
      const auto add = [&](auto row) {
        const VoxelLoss loss = loss_of_voxel(row, layout.labels, input, transition, true);
        out.sum.kl += loss.kl;
        out.sum.cross_entropy += loss.cross_entropy;
      };
      const int64_t offset = layout.offset(span.sample, span.first + i);
      if (threads > 0) {
        add(InPlaceRow{tile.data() + i, tile_stride(width)});
      } else {
        add(StreamingRow<Scalar, Scalar>{from + offset, layout.stride(), to + offset,
                                         layout.stride()});
      }
    }
    for (int i = 0; threads > 0 && i < width; ++i) {
      store_tile(tile.data(), layout, span, i, width, to);
    }
  }
  return out;
}

template <typename Scalar>
void expect_loss(int64_t labels, at::MemoryFormat format, double relative) {
  const NoiseSchedule schedule("cosine", kSteps);
  const CategoricalCase in(
      labels, {1, 4, kSteps},
      labels <= 20 ? std::vector<int64_t>{5, 7, 9} : std::vector<int64_t>{2, 3, 7});
  const auto count = static_cast<double>(in.x0.numel());
  const auto expected = in.expected(schedule, 0.7, 0.3, true);
  const at::Tensor logits =
      in.logits.to(c10::CppTypeToScalarType<Scalar>::value).contiguous(format);
  for (const int threads : {0, 32, 128}) {
    SCOPED_TRACE(::testing::Message() << "K " << labels << " threads " << threads);
    const Run ours =
        run_loss<Scalar>(in, schedule, logits, threads, static_cast<float>(0.7 / count),
                         static_cast<float>(0.3 / count));
    EXPECT_NEAR(ours.sum.kl / count, expected.kl, 1e-5 * (1 + expected.kl));
    EXPECT_NEAR(ours.sum.cross_entropy / count, expected.cross_entropy,
                1e-5 * (1 + expected.cross_entropy));
    EXPECT_TRUE(at::allclose(ours.gradient.to(at::kDouble), expected.gradient, relative,
                             3e-6 / count + (sizeof(Scalar) == 2 ? 6e-8 : 0)));
  }
}

TEST(CategoricalDeviceCode, LossAndGradientEqualTheMatrixForm) {
  for (const int64_t labels : {2, 20, 118, 300}) {
    for (const auto format : {at::MemoryFormat::Contiguous, kLast}) {
      expect_loss<float>(labels, format, 2e-6);
      expect_loss<c10::BFloat16>(labels, format, 1.0 / 256);
      expect_loss<c10::Half>(labels, format, 1.0 / 2048);
    }
  }
}

TEST(CategoricalDeviceCode, PosteriorAndSampleFollowTheMatrixForm) {
  const NoiseSchedule schedule("cosine", kSteps);
  for (const int64_t labels : {2, 20, 118, 300}) {
    const CategoricalCase in(labels, {1}, {2, 3, 7});
    const CategoricalReference reference(schedule, labels);
    const int64_t voxels = in.x0.numel();
    for (const auto& [t, s] : {std::pair{1, 0}, {4, 2}, {6, 5}}) {
      SCOPED_TRACE(::testing::Message() << "K " << labels << " t " << t << " s " << s);
      const at::Tensor exact =
          reference.posterior(in.logits[0].flatten(1).to(at::kDouble), in.xt.flatten(), t, s);
      const Transition transition(schedule.alpha_bar(t), schedule.alpha_bar(s), labels);
      at::Tensor values = in.logits.clone();
      at::Tensor streamed = at::empty_like(values);
      for (int64_t v = 0; v < voxels; ++v) {
        const auto xt = static_cast<int>(in.xt.view(-1)[v].item<int64_t>());
        const auto uniform = in.uniform.view(-1)[v].item<float>();
        StreamingRow<float, float> row{in.logits.const_data_ptr<float>() + v, voxels,
                                       streamed.mutable_data_ptr<float>() + v, voxels};
        posterior_of_voxel(row, static_cast<int>(labels), xt, transition);
        InPlaceRow column{values.mutable_data_ptr<float>() + v, static_cast<int>(voxels)};
        InPlaceRow again = column;
        std::vector<float> copy;
        for (int c = 0; c < labels; ++c) copy.push_back(column.logit(c));
        again = {copy.data(), 1};
        const int drawn = sample_voxel(again, static_cast<int>(labels), xt, uniform, transition);
        posterior_of_voxel(column, static_cast<int>(labels), xt, transition);
        const at::Tensor above = exact.select(1, v).cumsum(0);
        ASSERT_LE(uniform, above[drawn].item<double>() + 2e-6);
        ASSERT_GE(uniform, drawn == 0 ? 0 : above[drawn - 1].item<double>() - 2e-6);
      }
      EXPECT_LT((values[0].flatten(1) - exact).abs().max().item<double>(), 1e-6);
      EXPECT_LT((streamed[0].flatten(1) - exact).abs().max().item<double>(), 1e-6);
    }
  }
}

TEST(CategoricalDeviceCode, LogitsThatAreNotFiniteGiveNoLabel) {
  const Transition transition(0.5, 0.6, 3);
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    std::vector<float> values{0, bad, 1};
    InPlaceRow row{values.data(), 1};
    const bool harmless = bad < 0;  // a probability of zero
    EXPECT_EQ(sample_voxel(row, 3, 0, 0.5F, transition) >= 0, harmless) << bad;
  }
}

TEST(CategoricalDeviceCode, EveryValueOfATileIsVisitedOnce) {
  for (const int labels : {1, 2, 31, 32, 33, 118, 300}) {
    for (const bool last : {false, true}) {
      for (const int count : {1, 17, 32}) {
        const Layout layout{labels, 1000, last};
        std::vector<int> seen(static_cast<size_t>(labels * tile_stride(32)));
        for (int thread = 0; thread < 32; ++thread) {
          visit_tile(layout, count, thread, 32, [&](int at, int64_t memory) {
            ++seen[static_cast<size_t>(at)];
            const int c = at / tile_stride(32), v = at % tile_stride(32);
            ASSERT_EQ(memory, last ? int64_t{v} * labels + c : int64_t{c} * 1000 + v);
          });
        }
        for (int c = 0; c < labels; ++c) {
          for (int v = 0; v < tile_stride(32); ++v) {
            ASSERT_EQ(seen[static_cast<size_t>(c * tile_stride(32) + v)], v < count ? 1 : 0);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace guidegen::categorical
