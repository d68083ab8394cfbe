#include "data/case_store.hpp"

namespace guidegen {
namespace {

// Linux allows a process 65530 mappings; this leaves most to others.
constexpr int64_t kMostMappings = 16384;

}  // namespace

CaseStore::CaseStore(const Dataset& dataset, bool with_ct, int64_t bytes,
                     const std::filesystem::path& cache_directory)
    : dataset_(dataset), with_ct_(with_ct), bytes_left_(bytes), mappings_left_(kMostMappings) {
  if (!cache_directory.empty()) cache_ = std::make_unique<CaseCache>(dataset, cache_directory);
}

bool CaseStore::keeps(const TrainingCase& item) {
  if (item.mapped) return mappings_left_-- > 0;
  const auto bytes =
      static_cast<int64_t>(item.mask.nbytes() + (item.ct.defined() ? item.ct.nbytes() : 0));
  if (bytes > bytes_left_) return false;
  bytes_left_ -= bytes;
  return true;
}

std::shared_ptr<const TrainingCase> CaseStore::get(size_t index) {
  std::promise<Case> promise;
  std::shared_future<Case> result;
  bool reads = false;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = cases_.try_emplace(index);
    if (is_new) place->second = promise.get_future().share();
    result = place->second;
    reads = is_new;
  }
  if (!reads) return result.get();
  try {
    Case item =
        cache_ ? cache_->load(index, with_ct_) : load_training_case(dataset_, index, with_ct_);
    {
      const std::lock_guard lock(mutex_);
      if (!keeps(*item)) cases_.erase(index);
    }
    promise.set_value(std::move(item));
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      cases_.erase(index);
    }
    promise.set_exception(std::current_exception());
  }
  return result.get();
}

}  // namespace guidegen
