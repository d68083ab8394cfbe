#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "cuda/group_norm_kernels.hpp"
#include "nn/group_norm_layout.hpp"

// The operators of guidegen/nn/group_norm.hpp on CUDA devices.

namespace guidegen::group_norm {
namespace {

Type type_of(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return Type::kFloat;
    case at::kBFloat16:
      return Type::kBfloat16;
    case at::kHalf:
      return Type::kHalf;
    default:
      TORCH_CHECK(false, "group_norm_silu: x is ", x.scalar_type(),
                  ", expected float32, bfloat16 or float16");
  }
}

bool starts_aligned(const at::Tensor& x) {
  return reinterpret_cast<uintptr_t>(x.const_data_ptr()) % 16 == 0;
}

const float* data_or_null(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<float>() : nullptr;
}

/// The [C] and [B,C] operands; holds what the pointers point to.
struct Operands {
  at::Tensor weight, bias, scale, shift;

  Operands(const at::Tensor& w, const at::Tensor& b, const std::optional<at::Tensor>& s,
           const std::optional<at::Tensor>& t)
      : weight(dense_float(w)),
        bias(dense_float(b)),
        scale(dense_float(s)),
        shift(dense_float(t)) {}

  Parameters parameters() const {
    return {weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), data_or_null(scale),
            data_or_null(shift)};
  }
};

Problem problem_of(const Dense& x, int64_t groups, bool aligned) {
  return {type_of(x.values), x.channels_last, x.batch, x.channels, groups, x.voxels, aligned};
}

Normalized forward_cuda(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                        const at::Tensor& bias, const std::optional<at::Tensor>& scale,
                        const std::optional<at::Tensor>& shift, double eps) {
  const c10::cuda::CUDAGuard guard(x.device());
  const Dense in(x);
  const auto options = x.options().dtype(at::kFloat);
  const Normalized out{at::empty_like(in.values), at::empty({in.batch, groups}, options),
                       at::empty({in.batch, groups}, options)};
  if (x.numel() == 0) return out;
  const auto& [y, mean, rstd] = out;
  const Operands operands(weight, bias, scale, shift);
  const Problem problem = problem_of(in, groups, starts_aligned(in.values) && starts_aligned(y));
  const auto scratch = at::empty({forward_scratch(problem)}, options);
  forward(problem, in.values.const_data_ptr(), operands.parameters(), static_cast<float>(eps),
          scratch.mutable_data_ptr<float>(), y.mutable_data_ptr(), mean.mutable_data_ptr<float>(),
          rstd.mutable_data_ptr<float>(), c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out;
}

Gradients backward_cuda(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& mean,
                        const at::Tensor& rstd, int64_t groups, const at::Tensor& weight,
                        const at::Tensor& bias, const std::optional<at::Tensor>& scale,
                        const std::optional<at::Tensor>& shift) {
  const c10::cuda::CUDAGuard guard(x.device());
  const Dense in(x);
  const at::Tensor outer = in.like_this(dy);
  const auto options = x.options().dtype(at::kFloat);
  const Gradients out{at::empty_like(in.values), at::empty({in.channels}, options),
                      at::empty({in.channels}, options),
                      at::empty({in.batch, in.channels}, options),
                      at::empty({in.batch, in.channels}, options)};
  const auto& [dx, dweight, dbias, dscale, dshift] = out;
  if (x.numel() == 0) {
    for (const auto& sum : {dweight, dbias, dscale, dshift}) sum.zero_();
    return out;
  }
  const Operands operands(weight, bias, scale, shift);
  const Problem problem = problem_of(
      in, groups, starts_aligned(in.values) && starts_aligned(outer) && starts_aligned(dx));
  const auto scratch = at::empty({backward_scratch(problem)}, options);
  backward(
      problem, outer.const_data_ptr(), in.values.const_data_ptr(), mean.const_data_ptr<float>(),
      rstd.const_data_ptr<float>(), operands.parameters(), scratch.mutable_data_ptr<float>(),
      {dx.mutable_data_ptr(), dweight.mutable_data_ptr<float>(), dbias.mutable_data_ptr<float>(),
       dscale.mutable_data_ptr<float>(), dshift.mutable_data_ptr<float>()},
      c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out;
}

TORCH_LIBRARY_IMPL(guidegen, CUDA, m) {
  m.impl("group_norm_silu", forward_cuda);
  m.impl("group_norm_silu_backward", backward_cuda);
}

}  // namespace
}  // namespace guidegen::group_norm
