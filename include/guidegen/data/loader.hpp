#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "guidegen/data/dataset.hpp"
#include "guidegen/data/tumor_census.hpp"

namespace guidegen {

/// One case in memory, as training needs it.
struct TrainingCase {
  std::string id;
  Prompt prompt;
  ImageGeometry geometry;
  at::Tensor mask;                 ///< uint8 [D,H,W]
  at::Tensor ct;                   ///< int16 HU [D,H,W]; undefined when not asked for
  std::vector<FoundTumor> tumors;  ///< measured from the mask
};
using TrainingBatch = std::vector<std::shared_ptr<const TrainingCase>>;

/// Hands out batches in an order that depends on (seed, step) alone, so that a resumed run sees
/// what an uninterrupted one would. Cases are decoded in the background and kept in memory up to a
/// limit.
class PrefetchLoader {
 public:
  struct Options {
    int64_t batch = 1;
    uint64_t seed = 0;
    bool with_ct = false;
    int64_t ahead = 3;                       ///< batches decoded in advance
    int64_t cache_bytes = int64_t{6} << 30;  ///< decoded cases kept
  };
  /// `indices` into `dataset`, which must outlive the loader. The first batch is that of
  /// `first_step`.
  PrefetchLoader(const Dataset& dataset, std::vector<size_t> indices, Options options,
                 int64_t first_step);
  ~PrefetchLoader();

  /// Batch of the next step. Rethrows what went wrong while reading.
  TrainingBatch next();

 private:
  size_t index_at(int64_t position);
  std::shared_ptr<const TrainingCase> load(size_t index);
  void run();

  const Dataset& dataset_;
  std::vector<size_t> indices_;
  Options options_;
  int64_t step_;
  int64_t epoch_ = -1;
  std::vector<size_t> order_;  // shuffled indices of epoch_
  std::unordered_map<size_t, std::shared_ptr<const TrainingCase>> cache_;
  int64_t cached_bytes_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TrainingBatch> ready_;
  std::exception_ptr error_;
  bool stopping_ = false;
  std::thread worker_;
};

/// Reads one case the way the loader does.
std::shared_ptr<const TrainingCase> load_training_case(const Dataset& dataset, size_t index,
                                                       bool with_ct);

}  // namespace guidegen
