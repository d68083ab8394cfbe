#include "volume/run_on_threads.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace guidegen {

void run_on_threads(int64_t items, const std::function<std::function<void(int64_t item)>()>& make) {
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    try {
      const auto body = make();
      for (int64_t item = next++; item < items; item = next++) body(item);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      next = items;
    }
  };
  const int64_t count = std::min<int64_t>(at::get_num_threads(), items);
  std::vector<std::thread> threads;
  for (int64_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace guidegen
