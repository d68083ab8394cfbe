#include "guidegen/train/step_feed.hpp"

#include <algorithm>

#include "guidegen/nn/one_thread.hpp"

namespace guidegen {

StepFeed::StepFeed(PrefetchLoader& loader, const StageTask& task, Options options,
                   int64_t first_step)
    : loader_(loader), task_(task), options_(options) {
  worker_ = std::thread([this, first_step] { run(first_step); });
}

StepFeed::~StepFeed() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

StepShare StepFeed::prepare(int64_t step) {
  const auto batch = loader_.next();
  const auto count = static_cast<int64_t>(batch.cases.size());
  const int64_t part = options_.micro_batch > 0 ? options_.micro_batch : count;
  StepShare share;
  share.global_size = batch.global_size;
  for (int64_t begin = 0; begin < count; begin += part) {
    const int64_t end = std::min(begin + part, count);
    const TrainingBatch cases(batch.cases.begin() + begin, batch.cases.begin() + end);
    share.micro_batches.push_back(task_.prepare(cases, {options_.seed, step, batch.first + begin}));
    if (options_.pin) share.micro_batches.back().pin();
  }
  return share;
}

void StepFeed::run(int64_t first_step) {
  use_one_thread();  // the others belong to the step that is being computed
  for (int64_t step = first_step;; ++step) {
    StepShare share;
    std::exception_ptr error;
    try {
      share = prepare(step);
    } catch (...) {
      error = std::current_exception();
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || ready_.size() < options_.ahead; });
    if (stopping_) return;
    error_ = error;
    if (!error) ready_.push_back(std::move(share));
    changed_.notify_all();
    if (error) return;
  }
}

StepShare StepFeed::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || error_; });
  if (ready_.empty()) std::rethrow_exception(error_);
  StepShare share = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return share;
}

}  // namespace guidegen
