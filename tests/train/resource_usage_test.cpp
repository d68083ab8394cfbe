#include "guidegen/train/resource_usage.hpp"

#include <sys/mman.h>

#include <gtest/gtest.h>

#include <cstring>

namespace guidegen {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

TEST(ResourceUsage, PeakFollowsMemoryThatIsTouchedAndStaysWhenItIsGivenBack) {
  const int64_t before = peak_resident_bytes();
  EXPECT_GT(before, kMebibyte);  // a program with LibTorch in it
  // More than ever was; not from the heap, which may hold pages that were touched before.
  const auto size = static_cast<size_t>(before + 64 * kMebibyte);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, size);
  ::munmap(memory, size);
  const int64_t after = peak_resident_bytes();
  // The kernel counts in batches a thread, so allow it some pages.
  EXPECT_GT(after, static_cast<int64_t>(size) - 4 * kMebibyte);
  EXPECT_LT(after, before + static_cast<int64_t>(size) + 4 * kMebibyte);
}

}  // namespace
}  // namespace guidegen
