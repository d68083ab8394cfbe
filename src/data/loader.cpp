#include "guidegen/data/loader.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {

std::shared_ptr<const TrainingCase> load_training_case(const Dataset& dataset, size_t index,
                                                       bool with_ct) {
  auto result = std::make_shared<TrainingCase>();
  const auto& entry = dataset.cases().at(index);
  const Volume mask = dataset.read_case_mask(index);
  result->id = entry.id;
  result->prompt = entry.prompt;
  result->geometry = mask.geometry;
  result->mask = mask.data.select(0, 0).contiguous();
  result->tumors = find_tumors(mask, dataset.vocabulary());
  if (with_ct) {
    result->ct = dataset.read_case_ct(index).data.select(0, 0).to(at::kShort);
    if (result->ct.sizes() != result->mask.sizes()) {
      throw_failure(entry.folder.string(), ": ct.nii.gz and mask.nii.gz differ in size");
    }
  }
  return result;
}

PrefetchLoader::PrefetchLoader(const Dataset& dataset, std::vector<size_t> indices, Options options,
                               int64_t first_step)
    : dataset_(dataset), indices_(std::move(indices)), options_(options), step_(first_step) {
  if (indices_.empty()) throw_usage("the data set has no case to train on");
  worker_ = std::thread([this] { run(); });
}

PrefetchLoader::~PrefetchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  worker_.join();
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

std::shared_ptr<const TrainingCase> PrefetchLoader::load(size_t index) {
  if (const auto found = cache_.find(index); found != cache_.end()) return found->second;
  auto loaded = load_training_case(dataset_, index, options_.with_ct);
  const int64_t bytes =
      int64_t(loaded->mask.nbytes()) + (loaded->ct.defined() ? int64_t(loaded->ct.nbytes()) : 0);
  if (cached_bytes_ + bytes <= options_.cache_bytes) {
    cache_.emplace(index, loaded);
    cached_bytes_ += bytes;
  }
  return loaded;
}

void PrefetchLoader::run() {
  for (int64_t step = step_;; ++step) {
    TrainingBatch batch;
    std::exception_ptr error;
    try {
      for (int64_t i = 0; i < options_.batch; ++i) {
        batch.push_back(load(index_at(step * options_.batch + i)));
      }
    } catch (...) {
      error = std::current_exception();
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || int64_t(ready_.size()) < options_.ahead; });
    if (stopping_) return;
    error_ = error;
    if (!error) ready_.push_back(std::move(batch));
    changed_.notify_all();
    if (error) return;
  }
}

TrainingBatch PrefetchLoader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || error_; });
  if (ready_.empty()) std::rethrow_exception(error_);
  auto batch = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return batch;
}

}  // namespace guidegen
