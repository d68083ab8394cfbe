// guidegen_gpu_kernels_bench: times our own operators and prints one JSON line each.
//
//   guidegen_gpu_kernels_bench [--device cuda|cpu] [--small] [--rounds N]
//
// `bytes` counts what an operator must read and write at least: each operand once, and twice where
// a sum over all voxels has to be known before the first result. `share` is that traffic a second
// over the traffic of a device-to-device copy in the same run. `ms` is the best round; a round is
// ten calls in a row, so that waiting for the device doesn't count.
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/diffusion/categorical.hpp"
#include "guidegen/nn/accelerator.hpp"
#include "guidegen/nn/group_norm.hpp"

namespace guidegen::bench {
namespace {

constexpr int kCalls = 10;

struct Bench {
  c10::Device device = c10::kCPU;
  int rounds = 5;
  double peak = 0;  // bytes a second of a copy

  void synchronize() const {
    if (device.is_cuda()) accelerator()->synchronize();
  }

  /// Seconds of one call.
  double time(const std::function<void()>& call) const {
    using Clock = std::chrono::steady_clock;
    call();  // warms up
    synchronize();
    double best = 1e30;
    for (int round = 0; round < rounds; ++round) {
      const auto start = Clock::now();
      for (int i = 0; i < kCalls; ++i) call();
      synchronize();
      best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count() / kCalls);
    }
    return best;
  }

  void report(const std::string& kernel, const at::Tensor& operand, double bytes,
              const std::function<void()>& call) {
    const double seconds = time(call);
    if (kernel == "copy") peak = bytes / seconds;
    const std::string type = c10::toString(operand.scalar_type());
    std::cout << Json{{"kernel", kernel},
                      {"shape", operand.sizes().vec()},
                      {"type", type},
                      {"ms", seconds * 1e3},
                      {"bytes", bytes},
                      {"GB/s", bytes / seconds * 1e-9},
                      {"share", bytes / seconds / peak}}
                     .dump()
              << std::endl;
  }

  at::Tensor channels_last(at::IntArrayRef sizes, at::ScalarType type) const {
    return at::randn(sizes, at::TensorOptions(device))
        .to(type)
        .contiguous(at::MemoryFormat::ChannelsLast3d);
  }
};

double bytes_of(const at::Tensor& t) { return static_cast<double>(t.nbytes()); }

void bench_copy(Bench& bench, int64_t bytes) {
  const auto from = at::ones({bytes}, at::TensorOptions(bench.device).dtype(at::kByte));
  auto to = at::empty_like(from);
  bench.report("copy", from, 2 * bytes_of(from), [&] { to.copy_(from); });
}

void bench_group_norm(Bench& bench, at::IntArrayRef sizes, at::ScalarType type) {
  constexpr int64_t kGroups = 8;
  const auto x = bench.channels_last(sizes, type), dy = bench.channels_last(sizes, type);
  const auto weight = at::randn({sizes[1]}, at::TensorOptions(bench.device));
  const auto scale = at::randn({sizes[0], sizes[1]}, weight.options());
  using Normalized = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
  using Gradients = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;
  using Optional = std::optional<at::Tensor>;
  auto& dispatcher = c10::Dispatcher::singleton();
  const auto forward =
      dispatcher.findSchemaOrThrow("guidegen::group_norm_silu", "")
          .typed<Normalized(const at::Tensor&, int64_t, const at::Tensor&, const at::Tensor&,
                            const Optional&, const Optional&, double)>();
  const auto backward =
      dispatcher.findSchemaOrThrow("guidegen::group_norm_silu_backward", "")
          .typed<Gradients(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                           const at::Tensor&, int64_t, const at::Tensor&, const at::Tensor&,
                           const Optional&, const Optional&)>();
  const at::NoGradGuard no_grad;
  bench.report("group_norm_silu", x, 3 * bytes_of(x),
               [&] { group_norm_silu(x, kGroups, weight, weight, scale, scale); });
  const auto [y, mean, rstd] = forward.call(x, kGroups, weight, weight, scale, scale, 1e-5);
  bench.report("group_norm_silu_backward", x, 5 * bytes_of(x), [&, m = mean, r = rstd] {
    backward.call(dy, x, m, r, kGroups, weight, weight, scale, scale);
  });
}

void bench_categorical(Bench& bench, at::IntArrayRef sizes) {
  const int64_t labels = sizes[1];
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", 1000), labels);
  const auto logits = bench.channels_last(sizes, at::kFloat).requires_grad_();
  const auto options = at::TensorOptions(bench.device);
  const std::vector<int64_t> voxels{sizes[0], sizes[2], sizes[3], sizes[4]};
  const auto x0 = at::randint(labels, voxels, options.dtype(at::kByte));
  const auto xt = at::randint(labels, voxels, options.dtype(at::kByte));
  const auto uniform = at::rand(voxels, options);
  const auto t = at::full({sizes[0]}, 400, at::TensorOptions(at::kLong));
  bench.report("categorical_loss_and_gradient", logits, 2 * bytes_of(logits) + 2 * bytes_of(x0),
               [&] { diffusion.loss(logits, x0, xt, t, 1.0, 0.1); });
  const at::NoGradGuard no_grad;
  bench.report("categorical_sample", logits,
               bytes_of(logits) + 2 * bytes_of(xt) + bytes_of(uniform),
               [&] { diffusion.sample_step(logits, xt, 400, 380, uniform); });
}

int run(int argc, char** argv) {
  CLI::App app("Times our own operators");
  std::string device = "auto";
  bool small = false;
  Bench bench;
  app.add_option("--device", device, "auto, cpu, cuda or cuda:N");
  app.add_flag("--small", small, "sizes to try the program with, not to measure with");
  app.add_option("--rounds", bench.rounds, "rounds, of which the best counts");
  CLI11_PARSE(app, argc, argv);
  bench.device = resolve_device(device);
  bench_copy(bench, small ? 1 << 22 : 1 << 30);
  const int64_t shrink = small ? 8 : 1;
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    bench_group_norm(bench, {2, 24, 128 / shrink, 128 / shrink, 128 / shrink}, type);
    bench_group_norm(bench, {2, 96, 64 / shrink, 64 / shrink, 64 / shrink}, type);
  }
  bench_categorical(bench, {1, 26, 128 / shrink, 128 / shrink, 128 / shrink});
  bench_categorical(bench, {1, 118, 96 / shrink, 96 / shrink, 96 / shrink});
  return 0;
}

}  // namespace
}  // namespace guidegen::bench

int main(int argc, char** argv) {
  try {
    return guidegen::bench::run(argc, argv);
  } catch (const guidegen::Error& error) {
    std::cerr << error.what() << std::endl;
    return guidegen::exit_code(error.kind());
  } catch (const c10::Error& error) {
    std::cerr << error.what_without_backtrace() << std::endl;
    return 1;
  }
}
