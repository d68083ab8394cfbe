#pragma once

#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace guidegen::bench {

/// Stands in for LibTorch's CPU allocator and remembers the most bytes that tensors, and the
/// scratch memory of convolutions, held at once. (glibc, which knows how large a block is: some of
/// LibTorch takes bare pointers, so there is no place for a size of our own.)
class AllocationPeak final : public c10::Allocator {
 public:
  /// Takes the allocator's place for the rest of the process.
  static AllocationPeak& instance() {
    static auto* counter = new AllocationPeak();
    return *counter;
  }

  /// Forgets the peak so far; afterwards peak() counts from what is held now.
  void reset() { peak_ = base_ = held_.load(); }
  /// Most bytes held since reset(), less what was held then.
  int64_t peak() const { return peak_ - base_; }

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::Device(c10::kCPU)};
    constexpr size_t kAlignment = 64;
    void* data = nullptr;
    if (::posix_memalign(&data, kAlignment, bytes) != 0) throw std::bad_alloc();
    const int64_t now = held_ += size_of(data);
    for (int64_t seen = peak_; seen < now && !peak_.compare_exchange_weak(seen, now);) {
    }
    return {data, data, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  AllocationPeak() {
    constexpr uint8_t kAboveTheDefault = 255;
    c10::SetCPUAllocator(this, kAboveTheDefault);
  }
  static int64_t size_of(void* data) { return static_cast<int64_t>(::malloc_usable_size(data)); }
  static void release(void* data) {
    if (data == nullptr) return;
    instance().held_ -= size_of(data);
    std::free(data);
  }

  std::atomic<int64_t> held_{0};
  std::atomic<int64_t> peak_{0};
  int64_t base_ = 0;
};

}  // namespace guidegen::bench
