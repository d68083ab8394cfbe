#include "guidegen/diffusion/categorical.hpp"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <atomic>
#include <utility>
#include <vector>

#include "diffusion/categorical_blocks.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/nn/parallel.hpp"

namespace guidegen {
namespace {

using categorical::Block;
using categorical::Blocks;
using categorical::for_each_block;
using categorical::kBlock;
using categorical::LabelReader;
using categorical::LabelRows;
using categorical::Transition;

/// Buffers of one task.
struct Scratch {
  explicit Scratch(const Blocks& blocks) : rows(blocks.labels * kBlock) {}
  std::vector<float> rows;  // [K, kBlock]
  alignas(64) std::array<int32_t, kBlock> x0;
  alignas(64) std::array<int32_t, kBlock> xt;
};

/// Logits as dense float32 in one of the two layouts that the kernels read.
struct DenseLogits {
  at::Tensor values;
  bool channels_last;

  explicit DenseLogits(const at::Tensor& logits) {
    values = logits.detach().to(at::kFloat);
    channels_last =
        !values.is_contiguous() && values.is_contiguous(at::MemoryFormat::ChannelsLast3d);
    if (!channels_last) values = values.contiguous();
  }
};

Blocks check_logits(const at::Tensor& logits, const at::Tensor& xt, int64_t labels) {
  if (logits.dim() != 5 || xt.dim() != 4 || logits.size(0) != xt.size(0) ||
      logits.size(1) != labels || logits.sizes().slice(2) != xt.sizes().slice(1)) {
    throw_failure("categorical diffusion: logits ", logits.sizes(), " and x_t ", xt.sizes(),
                  ", expected [B,", labels, ",D,H,W] and [B,D,H,W]");
  }
  if (!logits.device().is_cpu()) {
    throw_failure("categorical diffusion: logits are on ", logits.device(), ", expected the CPU");
  }
  return {xt.size(0), labels, xt[0].numel()};
}

Transition transition_of(const NoiseSchedule& schedule, int64_t labels, int64_t t, int64_t s) {
  if (s < 0 || s >= t || t > schedule.steps()) {
    throw_failure("categorical diffusion: step from ", t, " to ", s, ", expected ",
                  schedule.steps(), " >= t > s >= 0");
  }
  return {schedule.alpha_bar(t), schedule.alpha_bar(s), labels};
}

/// `t` [B] int64 as numbers, each within [lowest, highest].
std::vector<int64_t> times_of(const at::Tensor& t, int64_t batch, int64_t lowest, int64_t highest) {
  if (t.dim() != 1 || t.size(0) != batch || t.scalar_type() != at::kLong || !t.device().is_cpu()) {
    throw_failure("categorical diffusion: t is ", t.scalar_type(), " ", t.sizes(), " on ",
                  t.device(), ", expected Long [", batch, "] on cpu");
  }
  const at::Tensor dense = t.contiguous();
  const int64_t* values = dense.const_data_ptr<int64_t>();
  std::vector<int64_t> times(values, values + batch);
  for (const int64_t time : times) {
    if (time < lowest || time > highest) {
      throw_failure("categorical diffusion: t = ", time, ", expected ", lowest, " to ", highest);
    }
  }
  return times;
}

/// Gives a loss computed together with its gradient a place in the autograd graph.
class PrecomputedLoss : public torch::autograd::Function<PrecomputedLoss> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& logits,
                            const at::Tensor& value, const at::Tensor& gradient) {
    ctx->save_for_backward({gradient});
    ctx->saved_data["dtype"] = static_cast<int64_t>(logits.scalar_type());
    return value.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list outer) {
    const at::Tensor gradient = ctx->get_saved_variables()[0];
    const auto dtype = static_cast<at::ScalarType>(ctx->saved_data["dtype"].toInt());
    const auto factor = outer[0].item<float>();
    // A plain backward() arrives with 1: spare the pass over K values a voxel.
    const at::Tensor scaled = factor == 1.0F ? gradient : gradient * factor;
    return {scaled.to(dtype), at::Tensor(), at::Tensor()};
  }
};

template <typename Label>
void noise_voxels(const Label* x0, const float* uniform, Label* out, int64_t count, double keep,
                  int64_t labels) {
  // The part of the uniform above `keep` is uniform again: it picks the label.
  const double scale = keep < 1 ? static_cast<double>(labels) / (1 - keep) : 0;
  const int64_t last = labels - 1;
  for (int64_t v = 0; v < count; ++v) {
    const double excess = static_cast<double>(uniform[v]) - keep;
    const auto drawn = static_cast<Label>(std::min(static_cast<int64_t>(excess * scale), last));
    out[v] = excess < 0 ? x0[v] : drawn;
  }
}

}  // namespace

CategoricalDiffusion::CategoricalDiffusion(NoiseSchedule schedule, int64_t labels)
    : schedule_(std::move(schedule)), labels_(labels) {
  constexpr int64_t kMostLabels = 65536;
  if (labels < 2 || labels > kMostLabels) {
    throw_usage("categorical diffusion: ", labels, " labels, expected 2 to ", kMostLabels);
  }
}

at::Tensor CategoricalDiffusion::add_noise(const at::Tensor& x0, const at::Tensor& t,
                                           const at::Tensor& uniform) const {
  const int64_t batch = x0.size(0);
  const int64_t voxels = batch == 0 ? 0 : x0.numel() / batch;
  const auto times = times_of(t, batch, 0, schedule_.steps());
  const at::Tensor from = x0.contiguous();
  const at::Tensor draws = categorical::voxel_values(uniform, x0, "uniform");
  at::Tensor out = at::empty_like(from);
  const auto run = [&](auto label) {
    using Label = decltype(label);
    constexpr int64_t kVoxelsATask = 1 << 16;
    for (int64_t b = 0; b < batch; ++b) {
      const double keep = schedule_.alpha_bar(times[b]);
      parallel_for(0, voxels, kVoxelsATask, [&](int64_t begin, int64_t end) {
        const int64_t first = b * voxels + begin;
        noise_voxels(from.const_data_ptr<Label>() + first, draws.const_data_ptr<float>() + first,
                     out.mutable_data_ptr<Label>() + first, end - begin, keep, labels_);
      });
    }
  };
  if (x0.scalar_type() == at::kByte && labels_ <= 256) {
    run(uint8_t{});
  } else if (x0.scalar_type() == at::kInt) {
    run(int32_t{});
  } else {
    throw_failure("categorical diffusion: x_0 is ", x0.scalar_type(), " for ", labels_,
                  " labels, expected uint8 (up to 256 labels) or int32");
  }
  return out;
}

CategoricalDiffusion::Loss CategoricalDiffusion::loss(const at::Tensor& logits,
                                                      const at::Tensor& x0, const at::Tensor& xt,
                                                      const at::Tensor& t, double kl_weight,
                                                      double ce_weight,
                                                      const at::Tensor& weight) const {
  const Blocks blocks = check_logits(logits, xt, labels_);
  if (x0.sizes() != xt.sizes()) {
    throw_failure("categorical diffusion: x_0 is ", x0.sizes(), ", x_t ", xt.sizes(),
                  ", expected the same");
  }
  std::vector<Transition> transitions;
  for (const int64_t time : times_of(t, blocks.batch, 1, schedule_.steps())) {
    transitions.emplace_back(schedule_.alpha_bar(time), schedule_.alpha_bar(time - 1), labels_);
  }
  const bool with_gradient = at::GradMode::is_enabled() && logits.requires_grad();
  const DenseLogits dense(logits);
  const LabelReader read_x0(x0, blocks, "x_0");
  const LabelReader read_xt(xt, blocks, "x_t");
  const at::Tensor weights =
      weight.defined() ? categorical::voxel_values(weight, xt, "weight") : at::Tensor();
  const at::Tensor gradient = with_gradient ? at::empty_like(dense.values) : at::Tensor();

  const double count = static_cast<double>(blocks.batch) * static_cast<double>(blocks.voxels);
  const LabelRows rows(const_cast<float*>(dense.values.const_data_ptr<float>()), blocks,
                       dense.channels_last);
  const LabelRows gradient_rows(with_gradient ? gradient.mutable_data_ptr<float>() : nullptr,
                                blocks, dense.channels_last);
  // One sum a block, added up in order below: the mean doesn't depend on the number of threads.
  std::vector<categorical::LossSums> sums(blocks.count());
  for_each_block<Scratch>(blocks, [&](const Block& block, Scratch& scratch) {
    read_x0.read(block, scratch.x0.data());
    read_xt.read(block, scratch.xt.data());
    const int64_t first = block.sample * blocks.voxels + block.first;
    const categorical::LossInput in{
        scratch.x0.data(),
        scratch.xt.data(),
        weights.defined() ? weights.const_data_ptr<float>() + first : nullptr,
        block.voxels,
        labels_,
        static_cast<float>(kl_weight / count),
        static_cast<float>(ce_weight / count)};
    rows.read(block, scratch.rows.data());
    sums[block.index] =
        categorical::loss_block(in, transitions[block.sample], scratch.rows.data(), with_gradient);
    if (with_gradient) gradient_rows.write(block, scratch.rows.data());
  });

  categorical::LossSums sum;
  for (const auto& part : sums) {
    sum.kl += part.kl;
    sum.cross_entropy += part.cross_entropy;
  }
  Loss result;
  result.kl = at::scalar_tensor(sum.kl / count, at::kFloat);
  result.cross_entropy = at::scalar_tensor(sum.cross_entropy / count, at::kFloat);
  result.total =
      at::scalar_tensor((kl_weight * sum.kl + ce_weight * sum.cross_entropy) / count, at::kFloat);
  if (with_gradient) result.total = PrecomputedLoss::apply(logits, result.total, gradient);
  return result;
}

at::Tensor CategoricalDiffusion::posterior(const at::Tensor& logits, const at::Tensor& xt,
                                           int64_t t, int64_t s) const {
  const Blocks blocks = check_logits(logits, xt, labels_);
  const Transition transition = transition_of(schedule_, labels_, t, s);
  const at::Tensor dense = logits.detach().to(at::kFloat).contiguous();
  const LabelReader read_xt(xt, blocks, "x_t");
  at::Tensor out = at::empty_like(dense);
  const LabelRows rows(const_cast<float*>(dense.const_data_ptr<float>()), blocks, false);
  const LabelRows out_rows(out.mutable_data_ptr<float>(), blocks, false);
  for_each_block<Scratch>(blocks, [&](const Block& block, Scratch& scratch) {
    read_xt.read(block, scratch.xt.data());
    rows.read(block, scratch.rows.data());
    categorical::posterior_block(scratch.xt.data(), block.voxels, labels_, transition,
                                 scratch.rows.data());
    out_rows.write(block, scratch.rows.data());
  });
  return out;
}

at::Tensor CategoricalDiffusion::sample_step(const at::Tensor& logits, const at::Tensor& xt,
                                             int64_t t, int64_t s,
                                             const at::Tensor& uniform) const {
  const Blocks blocks = check_logits(logits, xt, labels_);
  const Transition transition = transition_of(schedule_, labels_, t, s);
  const DenseLogits dense(logits);
  const LabelReader read_xt(xt, blocks, "x_t");
  const at::Tensor draws = categorical::voxel_values(uniform, xt, "uniform");
  at::Tensor out = at::empty(xt.sizes(), xt.options());
  const LabelRows rows(const_cast<float*>(dense.values.const_data_ptr<float>()), blocks,
                       dense.channels_last);
  std::atomic<bool> finite = true;
  for_each_block<Scratch>(blocks, [&](const Block& block, Scratch& scratch) {
    read_xt.read(block, scratch.xt.data());
    const int64_t first = block.sample * blocks.voxels + block.first;
    // x_0 of the scratch is free here and takes the drawn labels.
    rows.read(block, scratch.rows.data());
    if (!categorical::sample_block(scratch.xt.data(), draws.const_data_ptr<float>() + first,
                                   block.voxels, labels_, transition, scratch.rows.data(),
                                   scratch.x0.data())) {
      finite = false;
    }
    const auto* drawn = scratch.x0.data();
    if (out.scalar_type() == at::kByte) {
      std::copy(drawn, drawn + block.voxels, out.mutable_data_ptr<uint8_t>() + first);
    } else {
      std::copy(drawn, drawn + block.voxels, out.mutable_data_ptr<int32_t>() + first);
    }
  });
  if (!finite) {
    throw_failure("categorical diffusion: the network's logits at t = ", t,
                  " are not finite, expected numbers");
  }
  return out;
}

}  // namespace guidegen
