#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "guidegen/data/loader.hpp"
#include "guidegen/train/stage_task.hpp"

namespace guidegen {

/// What one process computes in one optimizer step.
struct StepShare {
  std::vector<StepInputs> micro_batches;
  int64_t global_size = 0;  ///< cases of the step over all processes
};

/// Prepares the steps to come on a background thread: takes batches from the loader, cuts them into
/// micro-batches, draws what is random and, for a GPU, moves it to page-locked memory.
class StepFeed {
 public:
  struct Options {
    uint64_t seed = 0;
    int64_t micro_batch = 0;  ///< most cases at once; 0: the whole share of this process
    bool pin = false;
    size_t ahead = 2;
  };
  /// `loader` and `task` must outlive the feed. The first share is that of `first_step`.
  StepFeed(PrefetchLoader& loader, const StageTask& task, Options options, int64_t first_step);
  ~StepFeed();
  StepFeed(const StepFeed&) = delete;
  StepFeed& operator=(const StepFeed&) = delete;

  /// Rethrows what went wrong in the background.
  StepShare next();

 private:
  StepShare prepare(int64_t step);
  void run(int64_t first_step);

  PrefetchLoader& loader_;
  const StageTask& task_;
  Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StepShare> ready_;
  std::exception_ptr error_;
  bool stopping_ = false;
  std::thread worker_;
};

}  // namespace guidegen
