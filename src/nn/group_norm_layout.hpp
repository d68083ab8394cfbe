#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <tuple>
#include <utility>

// What the CPU and the CUDA kernels of group_norm_silu share. Free of other files of ours, because
// the plug-in, which links none of them, includes it too.

namespace guidegen::group_norm {

/// An operand whose values lie without gaps, channels last or voxels last.
struct Dense {
  at::Tensor values;
  bool channels_last;
  int64_t batch, channels, voxels;

  explicit Dense(const at::Tensor& x)
      : batch(x.size(0)),
        channels(x.size(1)),
        voxels(batch * channels == 0 ? 0 : x.numel() / (batch * channels)) {
    values = is_dense(x) ? x : x.contiguous(x.suggest_memory_format());
    channels_last = !values.is_contiguous();
  }

  /// `other` (of the same sizes) in the type and memory format of this one.
  at::Tensor like_this(const at::Tensor& other) const {
    const auto format = channels_last ? (values.dim() == 5 ? at::MemoryFormat::ChannelsLast3d
                                                           : at::MemoryFormat::ChannelsLast)
                                      : at::MemoryFormat::Contiguous;
    return other.to(values.scalar_type()).contiguous(format);
  }

 private:
  static bool is_dense(const at::Tensor& x) {
    return x.is_contiguous() ||
           (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d)) ||
           (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
};

/// A [C] or [B,C] operand as dense float32 values; undefined stays undefined.
inline at::Tensor dense_float(const std::optional<at::Tensor>& values) {
  return values && values->defined() ? values->to(at::kFloat).contiguous() : at::Tensor();
}

/// Results of the backward operator: dx, dweight [C], dbias [C], dscale [B,C], dshift [B,C].
using Gradients = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;
/// Results of the forward operator: y, mean [B,G], 1 / standard deviation [B,G].
using Normalized = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

}  // namespace guidegen::group_norm
