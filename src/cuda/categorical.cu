// The operators of diffusion/categorical_ops.hpp on CUDA: one thread a voxel, whose labels lie in a
// tile in shared memory (diffusion/categorical_tile.hpp), so that logits cross the memory bus once
// and gradients once. What a thread computes is diffusion/categorical_voxel.hpp, which the tests
// run on the CPU. Everything runs on the current stream and nothing waits for it; sums are added
// in an order that depends on shapes and the kind of GPU alone.

#include <ATen/ATen.h>
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include <algorithm>

#include "cuda/categorical_kernels.cuh"
#include "diffusion/categorical_checks.hpp"

namespace guidegen::categorical::cuda {
namespace {

/// How a kernel over tiles is launched: with as many threads as their tile has room for, or with
/// none in shared memory when not even a warp's fits.
struct Launch {
  bool in_tile = false;
  int threads = kMostThreads;
  size_t shared = 0;
  int64_t blocks = 0;

  Launch(const Layout& layout, int64_t batch) {
    constexpr size_t kReserve = 4096;  // for the kernels' own shared variables
    const size_t room = at::cuda::getCurrentDeviceProperties()->sharedMemPerBlockOptin - kReserve;
    for (int count = kMostThreads; count >= 32 && !in_tile; count /= 2) {
      const size_t bytes = layout.labels * tile_stride(count) * sizeof(float);
      if (bytes > room) continue;
      in_tile = true;
      threads = count;
      shared = bytes;
    }
    blocks = batch * ((layout.voxels + threads - 1) / threads);
  }

  template <typename Arguments>
  void run(void (*kernel)(Arguments), const Arguments& arguments) const {
    constexpr size_t kAlwaysAllowed = 48 << 10;
    if (blocks == 0) return;
    if (shared + sizeof(Sums) * kMostThreads + sizeof(Transition) > kAlwaysAllowed) {
      C10_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                          static_cast<int>(shared)));
    }
    kernel<<<static_cast<unsigned>(blocks), threads, shared, at::cuda::getCurrentCUDAStream()>>>(
        arguments);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }
};

Layout layout_of(const at::Tensor& dense) {
  return {static_cast<int>(dense.size(1)), dense.size(2) * dense.size(3) * dense.size(4),
          is_channels_last(dense)};
}

/// Calls body(a logit, a label) with values of the types of the tensors.
template <typename Body>
void with_types(const at::Tensor& logits, const at::Tensor& labels, const Body& body) {
  const auto with_label = [&](auto scalar) {
    labels.scalar_type() == at::kByte ? body(scalar, uint8_t{}) : body(scalar, uint16_t{});
  };
  switch (logits.scalar_type()) {
    case at::kBFloat16:
      return with_label(c10::BFloat16{});
    case at::kHalf:
      return with_label(c10::Half{});
    default:
      return with_label(float{});
  }
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> loss(const at::Tensor& logits, const at::Tensor& x0,
                                                    const at::Tensor& xt, const at::Tensor& t,
                                                    const at::Tensor& alpha_bar, double kl_weight,
                                                    double ce_weight,
                                                    const std::optional<at::Tensor>& weight,
                                                    bool with_gradient) {
  check_loss(logits, x0, xt, t, alpha_bar, weight);
  const c10::cuda::CUDAGuard guard(logits.device());
  const at::Tensor dense = dense_logits(logits);
  const Layout layout = layout_of(dense);
  const Launch launch(layout, dense.size(0));
  const auto options = dense.options().dtype(at::kFloat);
  at::Tensor gradient = gradient_buffer(dense, with_gradient);
  at::Tensor total = at::empty({}, options);
  at::Tensor parts = at::empty({2}, options);
  at::Tensor sums = at::empty({launch.blocks, 2}, options.dtype(at::kDouble));
  auto* const block_sums = reinterpret_cast<Sums*>(sums.mutable_data_ptr<double>());
  const at::Tensor from = x0.contiguous();
  const at::Tensor to = xt.contiguous();
  const at::Tensor times = t.contiguous();
  const at::Tensor table = alpha_bar.contiguous();
  const at::Tensor weights = weight ? weight->contiguous() : at::Tensor();
  const double count = static_cast<double>(dense.size(0)) * static_cast<double>(layout.voxels);
  with_types(dense, xt, [&](auto scalar, auto label) {
    using Scalar = decltype(scalar);
    using Label = decltype(label);
    const LossArguments<Scalar, Label> arguments{
        dense.const_data_ptr<Scalar>(),
        with_gradient ? gradient.mutable_data_ptr<Scalar>() : nullptr,
        from.const_data_ptr<Label>(),
        to.const_data_ptr<Label>(),
        weight ? weights.const_data_ptr<float>() : nullptr,
        times.const_data_ptr<int64_t>(),
        table.const_data_ptr<double>(),
        block_sums,
        layout,
        table.size(0) - 1,
        static_cast<float>(kl_weight / count),
        static_cast<float>(ce_weight / count)};
    launch.run(
        launch.in_tile ? loss_kernel<true, Scalar, Label> : loss_kernel<false, Scalar, Label>,
        arguments);
  });
  mean_kernel<<<1, kReduceThreads, 0, at::cuda::getCurrentCUDAStream()>>>(
      block_sums, launch.blocks, count, kl_weight, ce_weight, total.mutable_data_ptr<float>(),
      parts.mutable_data_ptr<float>());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return {total, parts, gradient};
}

/// Sampler or posterior: one of `drawn` and `probabilities` is defined.
void step(const at::Tensor& dense, const at::Tensor& xt, const at::Tensor& uniform,
          double alpha_bar_t, double alpha_bar_s, const at::Tensor& drawn,
          const at::Tensor& probabilities) {
  const Layout layout = layout_of(dense);
  const Launch launch(layout, dense.size(0));
  const at::Tensor to = xt.contiguous();
  with_types(dense, xt, [&](auto scalar, auto label) {
    using Scalar = decltype(scalar);
    using Label = decltype(label);
    const StepArguments<Scalar, Label> arguments{
        dense.const_data_ptr<Scalar>(),
        to.const_data_ptr<Label>(),
        uniform.defined() ? uniform.const_data_ptr<float>() : nullptr,
        drawn.defined() ? drawn.mutable_data_ptr<Label>() : nullptr,
        probabilities.defined() ? probabilities.mutable_data_ptr<float>() : nullptr,
        layout,
        Transition(alpha_bar_t, alpha_bar_s, layout.labels)};
    launch.run(
        launch.in_tile ? step_kernel<true, Scalar, Label> : step_kernel<false, Scalar, Label>,
        arguments);
  });
}

at::Tensor posterior(const at::Tensor& logits, const at::Tensor& xt, double alpha_bar_t,
                     double alpha_bar_s) {
  check_logits(logits, xt);
  const c10::cuda::CUDAGuard guard(logits.device());
  at::Tensor out = at::empty(logits.sizes(), logits.options().dtype(at::kFloat));
  step(dense_logits(logits), xt, {}, alpha_bar_t, alpha_bar_s, {}, out);
  return out;
}

at::Tensor sample(const at::Tensor& logits, const at::Tensor& xt, const at::Tensor& uniform,
                  double alpha_bar_t, double alpha_bar_s) {
  check_logits(logits, xt);
  check_voxel_values(uniform, "uniform", xt);
  const c10::cuda::CUDAGuard guard(logits.device());
  at::Tensor out = at::empty(xt.sizes(), xt.options());
  step(dense_logits(logits), xt, uniform.contiguous(), alpha_bar_t, alpha_bar_s, out, {});
  return out;
}

at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& uniform, const at::Tensor& t,
                     const at::Tensor& alpha_bar, int64_t labels) {
  check_add_noise(x0, uniform, t, alpha_bar, labels);
  const c10::cuda::CUDAGuard guard(x0.device());
  const at::Tensor from = x0.contiguous();
  const at::Tensor draws = uniform.contiguous();
  const at::Tensor times = t.contiguous();
  const at::Tensor table = alpha_bar.contiguous();
  at::Tensor out = at::empty(x0.sizes(), x0.options());
  const int64_t voxels = x0.size(1) * x0.size(2) * x0.size(3);
  constexpr int kThreads = 256;
  const int64_t blocks = x0.size(0) * ((voxels + kThreads - 1) / kThreads);
  if (blocks == 0) return out;
  const auto run = [&](auto label) {
    using Label = decltype(label);
    noise_kernel<Label>
        <<<static_cast<unsigned>(blocks), kThreads, 0, at::cuda::getCurrentCUDAStream()>>>(
            from.const_data_ptr<Label>(), draws.const_data_ptr<float>(),
            out.mutable_data_ptr<Label>(), times.const_data_ptr<int64_t>(),
            table.const_data_ptr<double>(), table.size(0) - 1, labels, voxels);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  };
  x0.scalar_type() == at::kByte ? run(uint8_t{}) : run(uint16_t{});
  return out;
}

at::Tensor& scale_gradient_(at::Tensor& gradient, const at::Tensor& factor) {
  const c10::cuda::CUDAGuard guard(gradient.device());
  if (!gradient.is_non_overlapping_and_dense() || factor.numel() != 1 ||
      factor.scalar_type() != at::kFloat) {
    gradient.mul_(factor);
    return gradient;
  }
  const int64_t count = gradient.numel();
  if (count == 0) return gradient;
  constexpr int64_t kThreads = 256;
  constexpr int64_t kMostBlocks = 2048;
  const int64_t blocks = std::min(kMostBlocks, (count + kThreads - 1) / kThreads);
  const auto run = [&](auto scalar) {
    using Scalar = decltype(scalar);
    scale_kernel<Scalar>
        <<<static_cast<unsigned>(blocks), kThreads, 0, at::cuda::getCurrentCUDAStream()>>>(
            gradient.mutable_data_ptr<Scalar>(), factor.const_data_ptr<float>(), count);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  };
  switch (gradient.scalar_type()) {
    case at::kBFloat16:
      run(c10::BFloat16{});
      break;
    case at::kHalf:
      run(c10::Half{});
      break;
    default:
      run(float{});
  }
  return gradient;
}

}  // namespace
}  // namespace guidegen::categorical::cuda

TORCH_LIBRARY_IMPL(guidegen, CUDA, m) {
  m.impl("categorical_loss", guidegen::categorical::cuda::loss);
  m.impl("categorical_posterior", guidegen::categorical::cuda::posterior);
  m.impl("categorical_sample", guidegen::categorical::cuda::sample);
  m.impl("categorical_add_noise", guidegen::categorical::cuda::add_noise);
  m.impl("scale_gradient_", guidegen::categorical::cuda::scale_gradient_);
}
