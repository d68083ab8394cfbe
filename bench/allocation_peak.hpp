#pragma once

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

namespace guidegen::bench {

/// Stands in for LibTorch's CPU allocator and remembers the most bytes that tensors held at once.
class AllocationPeak final : public c10::Allocator {
 public:
  /// Takes the allocator's place for the rest of the process.
  static AllocationPeak& instance() {
    static auto* counter = new AllocationPeak(c10::GetCPUAllocator());
    return *counter;
  }

  /// Forgets the peak so far; afterwards peak() counts from what is held now.
  void reset() { peak_ = base_ = held_.load(); }
  /// Most bytes held since reset(), less what was held then.
  int64_t peak() const { return peak_ - base_; }

  c10::DataPtr allocate(size_t bytes) override {
    auto* piece = new Piece{inner_->allocate(bytes), static_cast<int64_t>(bytes), this};
    const int64_t now = held_ += piece->bytes;
    for (int64_t seen = peak_; seen < now && !peak_.compare_exchange_weak(seen, now);) {
    }
    void* data = piece->data.get();
    return {data, piece, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  struct Piece {
    c10::DataPtr data;
    int64_t bytes;
    AllocationPeak* owner;
  };

  explicit AllocationPeak(c10::Allocator* inner) : inner_(inner) {
    constexpr uint8_t kAboveTheDefault = 255;
    c10::SetCPUAllocator(this, kAboveTheDefault);
  }
  static void release(void* context) {
    const std::unique_ptr<Piece> piece(static_cast<Piece*>(context));
    piece->owner->held_ -= piece->bytes;
  }

  c10::Allocator* inner_;
  std::atomic<int64_t> held_{0};
  std::atomic<int64_t> peak_{0};
  int64_t base_ = 0;
};

}  // namespace guidegen::bench
