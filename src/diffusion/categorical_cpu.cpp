#include "diffusion/categorical_cpu.hpp"

#include <array>
#include <atomic>
#include <vector>

#include "diffusion/categorical_blocks.hpp"
#include "diffusion/categorical_checks.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/nn/parallel.hpp"

namespace guidegen::categorical::cpu {
namespace {

/// Buffers of one task.
struct Scratch {
  explicit Scratch(const Blocks& blocks) : rows(blocks.labels * kBlock) {}
  std::vector<float> rows;  // [K, kBlock]
  alignas(64) std::array<int32_t, kBlock> x0;
  alignas(64) std::array<int32_t, kBlock> xt;
};

/// `t` as numbers, each within [lowest, T].
std::vector<int64_t> times_of(const at::Tensor& t, const at::Tensor& alpha_bar, int64_t lowest) {
  const at::Tensor dense = t.contiguous();
  const int64_t* values = dense.const_data_ptr<int64_t>();
  std::vector<int64_t> times(values, values + dense.numel());
  const int64_t highest = alpha_bar.size(0) - 1;
  for (const int64_t time : times) {
    if (time < lowest || time > highest) {
      throw_failure("categorical diffusion: t = ", time, ", expected ", lowest, " to ", highest);
    }
  }
  return times;
}

std::vector<Transition> transitions_of(const at::Tensor& t, const at::Tensor& alpha_bar,
                                       int64_t labels) {
  const at::Tensor table = alpha_bar.contiguous();
  const double* values = table.const_data_ptr<double>();
  std::vector<Transition> transitions;
  for (const int64_t time : times_of(t, alpha_bar, 1)) {
    transitions.emplace_back(values[time], values[time - 1], labels);
  }
  return transitions;
}

template <typename Label>
void noise_voxels(const Label* x0, const float* uniform, Label* out, int64_t count,
                  const Noise& noise) {
  for (int64_t v = 0; v < count; ++v) {
    out[v] = static_cast<Label>(noise.draw(static_cast<int64_t>(x0[v]), uniform[v]));
  }
}

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor> loss(const at::Tensor& logits, const at::Tensor& x0,
                                                    const at::Tensor& xt, const at::Tensor& t,
                                                    const at::Tensor& alpha_bar, double kl_weight,
                                                    double ce_weight,
                                                    const std::optional<at::Tensor>& weight,
                                                    bool with_gradient) {
  check_loss(logits, x0, xt, t, alpha_bar, weight);
  const at::Tensor dense = dense_logits(logits);
  const Blocks blocks(dense);
  const auto transitions = transitions_of(t, alpha_bar, blocks.labels);
  const at::Tensor from = x0.contiguous();
  const at::Tensor to = xt.contiguous();
  const at::Tensor weights = weight ? weight->contiguous() : at::Tensor();
  const float* const weight_values = weight ? weights.const_data_ptr<float>() : nullptr;
  at::Tensor gradient = gradient_buffer(dense, with_gradient);

  const double count = static_cast<double>(blocks.batch) * static_cast<double>(blocks.voxels);
  const auto kl_scale = static_cast<float>(kl_weight / count);
  const auto ce_scale = static_cast<float>(ce_weight / count);
  // One sum a block, added up in order below: the mean doesn't depend on the number of threads.
  std::vector<LossSums> sums(blocks.count());
  for_each_block<Scratch>(blocks, [&](const Block& block, Scratch& scratch) {
    read_labels(from, "x_0", blocks, block, scratch.x0.data());
    read_labels(to, "x_t", blocks, block, scratch.xt.data());
    read_rows(dense, blocks, block, scratch.rows.data());
    const LossInput in{scratch.x0.data(),
                       scratch.xt.data(),
                       weight_values ? weight_values + block.offset(blocks) : nullptr,
                       block.voxels,
                       blocks.labels,
                       kl_scale,
                       ce_scale};
    sums[block.index] =
        loss_block(in, transitions[block.sample], scratch.rows.data(), with_gradient);
    if (with_gradient) write_rows(scratch.rows.data(), blocks, block, gradient);
  });

  LossSums sum;
  for (const auto& part : sums) {
    sum.kl += part.kl;
    sum.cross_entropy += part.cross_entropy;
  }
  at::Tensor parts = at::empty({2}, at::kFloat);
  auto* means = parts.mutable_data_ptr<float>();
  means[0] = static_cast<float>(sum.kl / count);
  means[1] = static_cast<float>(sum.cross_entropy / count);
  const double total = (kl_weight * sum.kl + ce_weight * sum.cross_entropy) / count;
  return {at::scalar_tensor(total, at::kFloat), parts, gradient};
}

at::Tensor posterior(const at::Tensor& logits, const at::Tensor& xt, double alpha_bar_t,
                     double alpha_bar_s) {
  check_logits(logits, xt);
  const at::Tensor dense = dense_logits(logits);
  const Blocks blocks(dense);
  const Transition transition(alpha_bar_t, alpha_bar_s, blocks.labels);
  const at::Tensor to = xt.contiguous();
  at::Tensor out = at::empty(logits.sizes(), at::kFloat);
  for_each_block<Scratch>(blocks, [&](const Block& block, Scratch& scratch) {
    read_labels(to, "x_t", blocks, block, scratch.xt.data());
    read_rows(dense, blocks, block, scratch.rows.data());
    posterior_block(scratch.xt.data(), block.voxels, blocks.labels, transition,
                    scratch.rows.data());
    write_rows(scratch.rows.data(), blocks, block, out);
  });
  return out;
}

at::Tensor sample(const at::Tensor& logits, const at::Tensor& xt, const at::Tensor& uniform,
                  double alpha_bar_t, double alpha_bar_s) {
  check_logits(logits, xt);
  check_voxel_values(uniform, "uniform", xt);
  const at::Tensor dense = dense_logits(logits);
  const Blocks blocks(dense);
  const Transition transition(alpha_bar_t, alpha_bar_s, blocks.labels);
  const at::Tensor to = xt.contiguous();
  const at::Tensor draws = uniform.contiguous();
  at::Tensor out = at::empty(xt.sizes(), xt.options());
  std::atomic<bool> finite = true;
  for_each_block<Scratch>(blocks, [&](const Block& block, Scratch& scratch) {
    read_labels(to, "x_t", blocks, block, scratch.xt.data());
    read_rows(dense, blocks, block, scratch.rows.data());
    // x_0 of the scratch is free here and takes the drawn labels.
    if (!sample_block(scratch.xt.data(), draws.const_data_ptr<float>() + block.offset(blocks),
                      block.voxels, blocks.labels, transition, scratch.rows.data(),
                      scratch.x0.data())) {
      finite = false;
    }
    write_labels(scratch.x0.data(), blocks, block, out);
  });
  if (!finite) {
    throw_failure("categorical diffusion: the network's logits are not finite, expected numbers");
  }
  return out;
}

at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& uniform, const at::Tensor& t,
                     const at::Tensor& alpha_bar, int64_t labels) {
  check_add_noise(x0, uniform, t, alpha_bar, labels);
  const int64_t batch = x0.size(0);
  const int64_t voxels = x0.size(1) * x0.size(2) * x0.size(3);
  const auto times = times_of(t, alpha_bar, 0);
  const at::Tensor table = alpha_bar.contiguous();
  const at::Tensor from = x0.contiguous();
  const at::Tensor draws = uniform.contiguous();
  at::Tensor out = at::empty(x0.sizes(), x0.options());
  const auto run = [&](auto label) {
    using Label = decltype(label);
    constexpr int64_t kVoxelsATask = 1 << 16;
    for (int64_t b = 0; b < batch; ++b) {
      const Noise noise(table.const_data_ptr<double>()[times[b]], labels);
      parallel_for(0, voxels, kVoxelsATask, [&](int64_t begin, int64_t end) {
        const int64_t first = b * voxels + begin;
        noise_voxels(from.const_data_ptr<Label>() + first, draws.const_data_ptr<float>() + first,
                     out.mutable_data_ptr<Label>() + first, end - begin, noise);
      });
    }
  };
  if (x0.scalar_type() == at::kByte) {
    run(uint8_t{});
  } else {
    run(uint16_t{});
  }
  return out;
}

at::Tensor& scale_gradient_(at::Tensor& gradient, const at::Tensor& factor) {
  // A plain backward() arrives with 1: spare the pass over K values a voxel.
  if (factor.item<float>() != 1.0F) gradient.mul_(factor);
  return gradient;
}

}  // namespace guidegen::categorical::cpu
