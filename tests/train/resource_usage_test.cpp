#include "guidegen/train/resource_usage.hpp"

#include <sys/mman.h>

#include <gtest/gtest.h>

#include <cstring>

namespace guidegen {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

TEST(ResourceUsage, FollowsMemoryThatIsTouchedAndGivenBack) {
  const ResourceUsage before = resource_usage();
  EXPECT_GT(before.resident_bytes, kMebibyte);  // a program with LibTorch in it
  constexpr size_t kSize = 64 * kMebibyte;
  // Not from the heap, which may hold pages that were touched before.
  void* memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, kSize);
  const ResourceUsage touched = resource_usage();
  ::munmap(memory, kSize);
  const ResourceUsage after = resource_usage();

  // The kernel counts in batches a thread, so allow it some pages.
  EXPECT_GT(touched.resident_bytes, before.resident_bytes + 60 * kMebibyte);
  EXPECT_LT(touched.resident_bytes, before.resident_bytes + 80 * kMebibyte);
  EXPECT_GE(touched.peak_resident_bytes, touched.resident_bytes - kMebibyte);
  EXPECT_LT(after.resident_bytes, touched.resident_bytes - 60 * kMebibyte);
  EXPECT_GE(after.peak_resident_bytes, touched.peak_resident_bytes - kMebibyte);
  EXPECT_GE(after.major_faults, before.major_faults);
}

}  // namespace
}  // namespace guidegen
