#include "guidegen/nn/accelerator.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>

#include <map>
#include <mutex>

#include "cuda/process_group.hpp"

// The plug-in's entry point and what it does beside kernels. Nothing here needs a symbol of the
// program: the interface is abstract and its errors are LibTorch's.

namespace guidegen {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

/// No autocast cache while alive: its converted weights live shorter than a recording that reads
/// them.
class NoAutocastCache {
 public:
  NoAutocastCache() : before_(at::autocast::is_autocast_cache_enabled()) {
    at::autocast::clear_cache();
    at::autocast::set_autocast_cache_enabled(false);
  }
  ~NoAutocastCache() { at::autocast::set_autocast_cache_enabled(before_); }
  NoAutocastCache(const NoAutocastCache&) = delete;
  NoAutocastCache& operator=(const NoAutocastCache&) = delete;

 private:
  bool before_;
};

class CudaGraph : public Accelerator::Graph {
 public:
  void replay() override { graph_.replay(); }
  at::cuda::CUDAGraph& graph() { return graph_; }

 private:
  at::cuda::CUDAGraph graph_;
};

class CudaAccelerator : public Accelerator {
 public:
  int device_count() const override { return c10::cuda::device_count(); }

  std::string device_name(int index) const override {
    return at::cuda::getDeviceProperties(static_cast<c10::DeviceIndex>(index))->name;
  }

  void set_device(int index) override {
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(index));
  }

  void synchronize() override { c10::cuda::device_synchronize(); }

  Memory memory(int index) override {
    start_allocator();
    const auto device = static_cast<c10::DeviceIndex>(index);
    const auto stats = allocator::getDeviceStats(device);
    const auto& bytes =
        stats.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
    return {bytes.current, bytes.peak,
            static_cast<int64_t>(at::cuda::getDeviceProperties(device)->totalGlobalMem)};
  }

  void reset_peak_memory(int index) override {
    start_allocator();
    allocator::resetPeakStats(static_cast<c10::DeviceIndex>(index));
  }

  c10::intrusive_ptr<c10d::Backend> make_process_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                       int rank, int size,
                                                       std::chrono::milliseconds timeout) override {
    return make_nccl_process_group(store, rank, size, timeout);
  }

  std::unique_ptr<Graph> capture(const std::function<void()>& body) override {
    constexpr int kWarmUps = 3;  // algorithms are chosen and workspaces grow in the first runs
    const NoAutocastCache no_cache;
    auto out = std::make_unique<CudaGraph>();
    // Recording isn't possible on the default stream.
    const auto caller = at::cuda::getCurrentCUDAStream();
    const auto side = recording_stream(caller.device_index());
    caller.synchronize();
    {
      const c10::cuda::CUDAStreamGuard guard(side);
      for (int i = 0; i < kWarmUps; ++i) body();
      side.synchronize();
      allocator::emptyCache();  // what the warm-up left is of no use to the recording's own pool
      // Other threads (writers, the loader) may go on calling CUDA meanwhile.
      out->graph().capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
      try {
        body();
      } catch (...) {
        end_failed_capture(out->graph());
        throw;
      }
      out->graph().capture_end();
    }
    side.synchronize();
    return out;
  }

 private:
  /// One for all recordings of a device: cuBLAS keeps a workspace for each stream that it ever saw.
  /// Replays follow each other on the caller's stream, so they may share it.
  at::cuda::CUDAStream recording_stream(c10::DeviceIndex device) {
    const std::lock_guard lock(streams_mutex_);
    const auto found = streams_.find(device);
    if (found != streams_.end()) return found->second;
    return streams_.emplace(device, at::cuda::getStreamFromPool(false, device)).first->second;
  }

  /// Leaves capture mode, whose own complaint would hide why it failed.
  static void end_failed_capture(at::cuda::CUDAGraph& graph) {
    try {
      graph.capture_end();
    } catch (const c10::Error&) {
    }
  }

  static void start_allocator() { at::globalContext().lazyInitDevice(c10::kCUDA); }

  std::mutex streams_mutex_;
  std::map<c10::DeviceIndex, at::cuda::CUDAStream> streams_;
};

}  // namespace
}  // namespace guidegen

extern "C" __attribute__((visibility("default"))) guidegen::Accelerator* guidegen_accelerator(
    int abi_version) {
  if (abi_version != guidegen::Accelerator::kAbiVersion) return nullptr;
  static guidegen::CudaAccelerator only;
  return &only;
}
