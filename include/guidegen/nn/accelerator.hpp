#pragma once

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace guidegen {

/// What a GPU needs beside the dispatcher's kernels. libguidegen_cuda.so implements it, so that the
/// program itself links nothing of CUDA. Errors of CUDA arrive as c10::Error.
class Accelerator {
 public:
  /// Changes with this interface: a plug-in of another build is refused instead of misread.
  static constexpr int kAbiVersion = 1;

  virtual ~Accelerator() = default;

  virtual int device_count() const = 0;
  virtual std::string device_name(int index) const = 0;
  /// Makes a device the current one of this thread.
  virtual void set_device(int index) = 0;
  /// Waits until the current device has done all that was asked of it.
  virtual void synchronize() = 0;

  struct Memory {
    int64_t allocated;  ///< bytes that tensors hold
    int64_t peak;       ///< most that they held since reset_peak_memory
    int64_t total;      ///< bytes of the device
  };
  virtual Memory memory(int index) = 0;
  virtual void reset_peak_memory(int index) = 0;

  /// An NCCL process group on the current device. Throws c10::Error for a plug-in built without
  /// NCCL's headers.
  virtual c10::intrusive_ptr<c10d::Backend> make_process_group(
      const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
      std::chrono::milliseconds timeout) = 0;

  /// Recorded work. Its tensors stay where they are: replay() reads the inputs and overwrites the
  /// outputs of the recording.
  class Graph {
   public:
    virtual ~Graph() = default;
    /// Queues the work on the current stream.
    virtual void replay() = 0;
  };
  /// Runs `body` a few times to warm up, then records one run as a CUDA graph of the current
  /// device. body may not wait for the GPU (item(), copies to the CPU), and all that it allocates
  /// and does not return lives as long as the graph.
  virtual std::unique_ptr<Graph> capture(const std::function<void()>& body) = 0;
};

/// The accelerator of this machine; nullptr without a GPU or without the plug-in. Call it before
/// tensors are computed: LibTorch looks once, at its first backward pass or seeding, which kinds of
/// devices there are. The first call
/// looks for libguidegen_cuda.so at $GUIDEGEN_CUDA_PLUGIN, beside the program, in the folder above
/// the program's, and in ../lib/guidegen from the program, and loads it when the driver reports a
/// GPU; nothing of CUDA is loaded otherwise. Where there is a GPU but the plug-in doesn't load, a
/// warning says why.
Accelerator* accelerator();

/// Why accelerator() is nullptr, in one line; empty where it isn't.
std::string why_no_accelerator();

/// "auto" | "cpu" | "cuda" | "cuda:N" -> the device, which is made the current one. "auto" is a GPU
/// where there is one; "auto" and "cuda" take the GPU number `local_rank`, of a process that shares
/// its machine with others, modulo their number. Throws Error(kUsage) that names --device and says
/// why when the device is not there.
c10::Device resolve_device(const std::string& text, int local_rank = 0);

}  // namespace guidegen
