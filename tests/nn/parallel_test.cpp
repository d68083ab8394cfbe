#include "guidegen/nn/parallel.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace guidegen {
namespace {

/// Two threads for the test, whatever the machine has.
class ParallelFor : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(2); }
  void TearDown() override { at::set_num_threads(before_); }
  int before_ = at::get_num_threads();
};

TEST_F(ParallelFor, VisitsEveryItemOnce) {
  std::vector<int> seen(1000, 0);
  parallel_for(10, 1000, 7, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) ++seen[static_cast<size_t>(i)];
  });
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i < 10 ? 0 : 1) << i;
}

TEST_F(ParallelFor, RunsOnSeveralThreads) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel_for(0, 2, 1, [&](int64_t, int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 2U);
}

TEST_F(ParallelFor, PassesExceptionsOn) {
  EXPECT_THROW(parallel_for(0, 2, 1,
                            [](int64_t first, int64_t) {
                              if (first == 1) throw std::runtime_error("part");
                            }),
               std::runtime_error);
}

}  // namespace
}  // namespace guidegen
