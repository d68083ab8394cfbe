#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "guidegen/data/training_case.hpp"

namespace guidegen {

class CaseStore;

/// Hands out batches in an order that depends on (seed, step) alone, so that a resumed run sees
/// what an uninterrupted one would, on however many ranks either runs. Cases are decoded in the
/// background by several threads.
///
/// The cases of all steps form one sequence, a fresh permutation each epoch: item i of step s is at
/// position s * batch + i. Of each global batch rank r of W gets the items from r * batch / W up to
/// (r + 1) * batch / W (whole numbers), so shares differ by one case at most.
class PrefetchLoader {
 public:
  struct Options {
    int64_t batch = 1;  ///< cases of a step over all ranks
    uint64_t seed = 0;
    bool with_ct = false;
    int rank = 0;
    int world_size = 1;
    int workers = 2;                         ///< decoding threads, each on one core
    int64_t ahead = 3;                       ///< batches decoded, or being so, in advance
    int64_t cache_bytes = int64_t{6} << 30;  ///< of decoded cases that this process keeps
    std::filesystem::path cache_directory;   ///< of a CaseCache; empty: none
  };
  /// This rank's share of a global batch.
  struct Batch {
    TrainingBatch cases;
    int64_t first = 0;        ///< place of the first case in the global batch
    int64_t global_size = 0;  ///< cases of all ranks together
  };

  /// Throws Error(kUsage) for options that can't work, fewer cases in a batch than ranks say.
  static void check(const Options& options);

  /// `indices` into `dataset`, which must outlive the loader. The first batch is that of
  /// `first_step`. Throws Error(kUsage) when there are no indices, and as check().
  PrefetchLoader(const Dataset& dataset, std::vector<size_t> indices, Options options,
                 int64_t first_step);
  /// Waits for the cases that are being decoded right now, no others.
  ~PrefetchLoader();

  /// Batch of the next step. Rethrows what went wrong while reading one of its cases, and again
  /// when called again.
  Batch next();

 private:
  struct Slot {
    std::shared_ptr<const TrainingCase> item;
    std::exception_ptr error;
    bool done = false;
  };
  size_t next_index();  // with mutex_ held
  size_t index_at(int64_t position);
  void run();
  void stop();

  std::vector<size_t> indices_;
  Options options_;
  int64_t first_ = 0;   // of this rank, in the global batch
  int64_t share_ = 0;   // cases of this rank in a batch
  int64_t step_ = 0;    // of the next case to decode
  int64_t item_ = 0;    // of the next case to decode, within the share
  int64_t epoch_ = -1;  // of order_
  std::vector<size_t> order_;
  std::unique_ptr<CaseStore> store_;

  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable done_;
  std::deque<Slot> slots_;  // in order; whole batches are taken from the front
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace guidegen
