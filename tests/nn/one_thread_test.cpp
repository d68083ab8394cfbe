#include "guidegen/nn/one_thread.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <thread>

namespace guidegen {
namespace {

TEST(OneThread, HoldsForTheCallingThreadAlone) {
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  int there = 0;
  std::thread([&] {
    use_one_thread();
    there = at::get_num_threads();
  }).join();
  EXPECT_EQ(there, 1);
  EXPECT_EQ(at::get_num_threads(), 3);
  int later = 0;
  std::thread([&] { later = at::get_num_threads(); }).join();
  EXPECT_EQ(later, 3) << "threads to come keep the number as well";
  at::set_num_threads(before);
}

}  // namespace
}  // namespace guidegen
