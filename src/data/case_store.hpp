#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "guidegen/data/case_cache.hpp"

namespace guidegen {

/// The cases of a loader in this process. A case that several threads ask for at once is read by
/// one of them. Cases stay while there is room; none is put out for another, because every epoch
/// asks for all. Thread-safe.
class CaseStore {
 public:
  /// Keeps up to `bytes` of decoded cases. With a `cache_directory` cases are mapped from there:
  /// those take no memory of the process's own and are kept whatever `bytes` says.
  CaseStore(const Dataset& dataset, bool with_ct, int64_t bytes,
            const std::filesystem::path& cache_directory);

  /// Rethrows what went wrong while reading; the next call tries again.
  std::shared_ptr<const TrainingCase> get(size_t index);

 private:
  using Case = std::shared_ptr<const TrainingCase>;
  bool keeps(const TrainingCase& item);  // with mutex_ held

  const Dataset& dataset_;
  bool with_ct_;
  int64_t bytes_left_;
  int64_t mappings_left_;
  std::unique_ptr<CaseCache> cache_;
  std::mutex mutex_;
  std::unordered_map<size_t, std::shared_future<Case>> cases_;  // kept, or being read
};

}  // namespace guidegen
