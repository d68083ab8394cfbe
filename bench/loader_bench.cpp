// bench_loader: how fast the loader hands out batches of two cases of 64 x 64 x 80 voxels, decoded
// from disk (compressed) or kept in memory.
//
//   bench_loader [--benchmark_filter=...] [--benchmark_out=FILE --benchmark_out_format=json]
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "guidegen/data/loader.hpp"
#include "guidegen/data/phantom.hpp"

namespace guidegen {
namespace {

constexpr int kCases = 4;
constexpr int64_t kBatch = 2;

/// A data set of phantoms in a folder that goes when the program ends.
class PhantomData {
 public:
  PhantomData()
      : folder_(std::filesystem::temp_directory_path() /
                ("guidegen-bench-" + std::to_string(getpid()))) {
    const auto vocabulary = Vocabulary::load("torso");
    DatasetWriter writer(folder_, vocabulary);
    for (int i = 0; i < kCases; ++i) {
      PhantomRequest request;
      request.case_id = "case-" + std::to_string(i);
      request.geometry = centered_geometry({64, 64, 80}, {6, 6, 6});
      auto phantom = make_phantom(request, vocabulary);
      phantom.prompt.id = request.case_id;
      writer.add(phantom.prompt, phantom.mask, phantom.ct);
    }
    writer.finish();
  }
  ~PhantomData() { std::filesystem::remove_all(folder_); }
  PhantomData(const PhantomData&) = delete;
  PhantomData& operator=(const PhantomData&) = delete;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

void next_batch(benchmark::State& state, int64_t cache_bytes) {
  static const PhantomData data;
  const Dataset dataset = Dataset::open(data.folder());
  PrefetchLoader::Options options;
  options.batch = kBatch;
  options.with_ct = true;
  options.cache_bytes = cache_bytes;
  PrefetchLoader loader(dataset, {0, 1, 2, 3}, options, 0);
  for (int64_t i = 0; i < kCases; ++i) loader.next();  // every case was seen once
  for (auto _ : state) benchmark::DoNotOptimize(loader.next());
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void decoded_from_disk(benchmark::State& state) { next_batch(state, 0); }
void kept_in_memory(benchmark::State& state) { next_batch(state, int64_t{1} << 30); }

BENCHMARK(decoded_from_disk)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(kept_in_memory)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace guidegen

BENCHMARK_MAIN();
