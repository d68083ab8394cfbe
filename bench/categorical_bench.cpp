// Cost of the fused loss of categorical diffusion, forward and backward, against the formulation
// with a table of K x K transitions a voxel. Names are <what>/<side of the volume>/<labels>.
// Lines are fitted to processor time, which other programs on the machine disturb least.
//
//   bench_categorical                                   everything, with a summary at the end
//   bench_categorical --benchmark_filter=fused          the fused loss alone
//   OMP_NUM_THREADS=1 bench_categorical ...             on one core

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "allocation_peak.hpp"
#include "guidegen/diffusion/categorical.hpp"
#include "guidegen/nn/random_tensor.hpp"

namespace guidegen {
namespace {

constexpr int64_t kSteps = 1000;
constexpr double kKlWeight = 1.0;
constexpr double kCeWeight = 0.1;

struct Problem {
  at::Tensor logits;  // [1,K,n,n,n], a leaf
  at::Tensor x0, xt;  // [1,n,n,n] uint8
  at::Tensor t = at::full({1}, kSteps / 2, at::kLong);

  Problem(int64_t side, int64_t labels, at::ScalarType type, at::MemoryFormat format) {
    RandomStream stream(1, "bench", "values");
    const std::vector<int64_t> shape{1, side, side, side};
    const auto draw = [&] {
      return (random_uniform(stream, shape) * static_cast<double>(labels)).to(at::kByte);
    };
    x0 = draw();
    xt = draw();
    // Repeated along the depth: drawing numbers is slow, and their values don't matter.
    logits = random_normal(stream, {1, labels, 1, side, side})
                 .expand({1, labels, side, side, side})
                 .to(type)
                 .contiguous(format);
    logits.requires_grad_();
  }
};

/// The same loss the way D3PM-style code writes it: q(x_{t-1} = c|x_t, x_0 = d) as one tensor
/// [B,K,K,D,H,W], contracted with the predicted p(x_0).
at::Tensor table_loss(const NoiseSchedule& schedule, const Problem& in, int64_t t) {
  const int64_t k = in.logits.size(1);
  const double from_start = schedule.alpha_bar(t - 1);
  const double step = schedule.alpha_bar(t) / from_start;
  const auto categories = static_cast<double>(k);
  const auto one_hot = [&](const at::Tensor& labels) {
    return at::one_hot(labels.to(at::kLong), k).permute({0, 4, 1, 2, 3}).to(at::kFloat);
  };
  const at::Tensor likelihood = step * one_hot(in.xt) + (1 - step) / categories;  // [B,c,...]
  const at::Tensor prior =
      from_start * at::eye(k).view({1, k, k, 1, 1, 1}) + (1 - from_start) / categories;
  at::Tensor table = likelihood.unsqueeze(2) * prior;  // [B,c,d,...]
  table = table / table.sum(1, /*keepdim=*/true);
  const at::Tensor log_p = in.logits.log_softmax(1);
  // Sums of products: on processors einsum takes three times as long at 20 labels.
  const at::Tensor predicted = (table * log_p.exp().unsqueeze(1)).sum(2);
  auto shape = table.sizes().vec();
  shape[2] = 1;
  const at::Tensor origin = in.x0.to(at::kLong).unsqueeze(1).unsqueeze(1).expand(shape);
  const at::Tensor truth = table.gather(2, origin).squeeze(2);
  const at::Tensor kl = (truth * (truth.log() - predicted.log())).sum(1).mean();
  const at::Tensor ce = -log_p.gather(1, in.x0.to(at::kLong).unsqueeze(1)).mean();
  return kKlWeight * kl + kCeWeight * ce;
}

template <typename Loss>
void measure(benchmark::State& state, Problem& in, const Loss& loss) {
  auto& memory = bench::AllocationPeak::instance();
  memory.reset();
  for (auto _ : state) {
    in.logits.mutable_grad() = at::Tensor();
    loss().backward();
  }
  state.counters["peak_MiB"] = static_cast<double>(memory.peak()) / (1 << 20);
  state.counters["labels"] = static_cast<double>(in.logits.size(1));
  state.counters["voxels"] = static_cast<double>(in.x0.numel());
}

void run_fused(benchmark::State& state, int64_t side, int64_t labels, at::ScalarType type,
               at::MemoryFormat format) {
  const CategoricalDiffusion diffusion(NoiseSchedule("cosine", kSteps), labels);
  Problem in(side, labels, type, format);
  measure(state, in, [&] {
    return diffusion.loss(in.logits, in.x0, in.xt, in.t, kKlWeight, kCeWeight).total;
  });
}

void run_table(benchmark::State& state, int64_t side, int64_t labels) {
  const NoiseSchedule schedule("cosine", kSteps);
  Problem in(side, labels, at::kFloat, at::MemoryFormat::Contiguous);
  // A comparison of speed means something only between two that compute the same.
  const double ours = CategoricalDiffusion(schedule, labels)
                          .loss(in.logits, in.x0, in.xt, in.t, kKlWeight, kCeWeight)
                          .total.item<double>();
  const double theirs = table_loss(schedule, in, kSteps / 2).item<double>();
  if (std::fabs(ours - theirs) > 1e-3 * std::fabs(theirs)) {
    state.SkipWithError("the two losses differ");
    return;
  }
  measure(state, in, [&] { return table_loss(schedule, in, kSteps / 2); });
}

/// Prints as usual and keeps the figures for the summary.
class Collector : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
      const std::string name = run.run_name.function_name;
      const double ms = run.GetAdjustedRealTime();
      const double cpu_ms = run.GetAdjustedCPUTime();
      const auto counter = [&](const char* key) { return run.counters.at(key).value; };
      const auto [at, fresh] = seen_.try_emplace(
          name, Figures{ms, cpu_ms, counter("peak_MiB"), counter("labels"), counter("voxels")});
      // Of repetitions the fastest counts: what disturbs only ever adds time.
      if (fresh) continue;
      at->second.ms = std::min(at->second.ms, ms);
      at->second.cpu_ms = std::min(at->second.cpu_ms, cpu_ms);
    }
  }

  void summarize() const {
    const auto fused = seen_.find("fused/64/20");
    const auto table = seen_.find("table/64/20");
    if (fused != seen_.end() && table != seen_.end()) {
      std::printf(
          "64^3, K = 20: %.1f times faster (%.1f in processor time), "
          "%.1f times less memory\n",
          table->second.ms / fused->second.ms, table->second.cpu_ms / fused->second.cpu_ms,
          table->second.mib / fused->second.mib);
    }
    fit("labels at 64^3", "fused/64/", &Figures::labels);
    fit("voxels at K = 20", "/20", &Figures::voxels);
  }

 private:
  struct Figures {
    double ms, cpu_ms, mib, labels, voxels;
  };

  /// Least squares of processor milliseconds over the runs "fused/..." whose name holds `part`.
  void fit(const char* what, const std::string& part, double Figures::*axis) const {
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
    for (const auto& [name, figures] : seen_) {
      if (name.rfind("fused/", 0) != 0 || name.find(part) == std::string::npos) continue;
      const double x = figures.*axis;
      const double y = figures.cpu_ms;
      n += 1;
      sx += x, sy += y, sxx += x * x, sxy += x * y, syy += y * y;
    }
    if (n < 3) return;
    const double cov = n * sxy - sx * sy;
    const double slope = cov / (n * sxx - sx * sx);
    std::printf("processor ms over %s, %d points: %.4g + %.4g x, R^2 %.5f\n", what,
                static_cast<int>(n), (sy - slope * sx) / n, slope,
                cov * cov / ((n * sxx - sx * sx) * (n * syy - sy * sy)));
  }

  std::map<std::string, Figures> seen_;
};

template <typename Body>
void add(const std::string& name, const Body& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime()
      ->MeasureProcessCPUTime();
}

void add_fused(const std::string& family, int64_t side, int64_t labels,
               at::ScalarType type = at::kFloat,
               at::MemoryFormat format = at::MemoryFormat::Contiguous) {
  add(family + "/" + std::to_string(side) + "/" + std::to_string(labels),
      [=](benchmark::State& state) { run_fused(state, side, labels, type, format); });
}

void add_all() {
  for (const int64_t labels : {8, 20, 32, 64, 96, 128}) add_fused("fused", 64, labels);
  for (const int64_t side : {32, 48, 80, 96, 112, 128}) add_fused("fused", side, 20);
  add_fused("fused_last", 64, 20, at::kFloat, at::MemoryFormat::ChannelsLast3d);
  add_fused("fused_last", 64, 118, at::kFloat, at::MemoryFormat::ChannelsLast3d);
  add_fused("fused_bf16", 64, 20, at::kBFloat16);
  add_fused("fused_bf16_last", 64, 20, at::kBFloat16, at::MemoryFormat::ChannelsLast3d);
  add_fused("fused_half", 64, 20, at::kHalf);
  for (const auto& [side, labels] : {std::pair{32, 20}, {64, 8}, {64, 20}}) {
    add("table/" + std::to_string(side) + "/" + std::to_string(labels),
        [side = side, labels = labels](auto& state) { run_table(state, side, labels); });
  }
}

}  // namespace
}  // namespace guidegen

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  // Both sides reuse memory: what is timed are operators, not page faults on fresh blocks, which
  // glibc otherwise takes from and gives back to the system each time beyond 32 MiB.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  guidegen::bench::AllocationPeak::instance();
  guidegen::add_all();
  guidegen::Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  collector.summarize();
}
