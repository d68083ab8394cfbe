#include "guidegen/data/loader.hpp"

#include "data/case_store.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/random_stream.hpp"
#include "guidegen/nn/one_thread.hpp"

namespace guidegen {

void PrefetchLoader::check(const Options& options) {
  if (options.world_size < 1 || options.rank < 0 || options.rank >= options.world_size) {
    throw_usage("rank ", options.rank, " of ", options.world_size,
                ", expected 0 up to the number of ranks");
  }
  if (options.batch < options.world_size) {
    throw_usage("training.batch: ", options.batch, ", expected at least ", options.world_size,
                ", one case for each rank");
  }
  if (options.workers < 1 || options.ahead < 1) {
    throw_usage("loader: ", options.workers, " workers and ", options.ahead,
                " batches ahead, expected at least one of each");
  }
}

PrefetchLoader::PrefetchLoader(const Dataset& dataset, std::vector<size_t> indices, Options options,
                               int64_t first_step)
    : indices_(std::move(indices)), options_(std::move(options)), step_(first_step) {
  if (indices_.empty()) throw_usage("the data set has no case to train on");
  check(options_);
  first_ = options_.rank * options_.batch / options_.world_size;
  share_ = (options_.rank + 1) * options_.batch / options_.world_size - first_;
  store_ = std::make_unique<CaseStore>(dataset, options_.with_ct, options_.cache_bytes,
                                       options_.cache_directory);
  try {
    for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { run(); });
  } catch (...) {
    stop();
    throw;
  }
}

PrefetchLoader::~PrefetchLoader() { stop(); }

void PrefetchLoader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

size_t PrefetchLoader::index_at(int64_t position) {
  const auto count = static_cast<int64_t>(indices_.size());
  const int64_t epoch = position / count;
  if (epoch != epoch_) {
    order_ = indices_;
    RandomStream stream(options_.seed, concat("epoch-", epoch), "loader/order");
    for (size_t i = order_.size(); i > 1; --i) {
      std::swap(order_[i - 1], order_[static_cast<size_t>(stream.integer(int64_t(i)))]);
    }
    epoch_ = epoch;
  }
  return order_[static_cast<size_t>(position % count)];
}

size_t PrefetchLoader::next_index() {
  const int64_t position = step_ * options_.batch + first_ + item_;
  if (++item_ == share_) {
    item_ = 0;
    ++step_;
  }
  return index_at(position);
}

void PrefetchLoader::run() {
  use_one_thread();  // the workers are the parallelism; training needs the other cores
  const auto most = static_cast<size_t>(options_.ahead * share_);
  std::unique_lock lock(mutex_);
  for (;;) {
    room_.wait(lock, [&] { return stopping_ || slots_.size() < most; });
    if (stopping_) return;
    const size_t index = next_index();
    Slot& slot = slots_.emplace_back();  // stays where it is until it is done and taken
    lock.unlock();
    Slot read;
    try {
      read.item = store_->get(index);
    } catch (...) {
      read.error = std::current_exception();
    }
    read.done = true;
    lock.lock();
    slot = std::move(read);
    done_.notify_all();
  }
}

PrefetchLoader::Batch PrefetchLoader::next() {
  Batch batch{{}, first_, options_.batch};
  const auto share = static_cast<size_t>(share_);
  std::unique_lock lock(mutex_);
  for (size_t i = 0; i < share; ++i) {
    done_.wait(lock, [&] { return slots_.size() > i && slots_[i].done; });
    if (slots_[i].error) std::rethrow_exception(slots_[i].error);
  }
  for (size_t i = 0; i < share; ++i) {
    batch.cases.push_back(std::move(slots_.front().item));
    slots_.pop_front();
  }
  lock.unlock();
  room_.notify_all();
  return batch;
}

}  // namespace guidegen
