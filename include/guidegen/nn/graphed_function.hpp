#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "guidegen/nn/accelerator.hpp"

namespace guidegen {

/// A function of tensors that becomes one CUDA graph: sampling calls a network with the same shapes
/// again and again, and launching its many small kernels costs more than running them.
///
/// On the CPU, and while gradients are recorded, a call is a plain call. On a GPU the first call
/// with given shapes warms the function up and records it; later calls copy the inputs into the
/// recording's and replay it. The result of a replay lies in memory that the *next call* with these
/// shapes overwrites: clone() what must last. The function must compute the same from the same
/// inputs, work on the current device, and not wait for the GPU (no item(), no copies to the CPU).
class GraphedFunction {
 public:
  using Function = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

  explicit GraphedFunction(Function function);
  ~GraphedFunction();
  GraphedFunction(const GraphedFunction&) = delete;
  GraphedFunction& operator=(const GraphedFunction&) = delete;

  at::Tensor operator()(const std::vector<at::Tensor>& inputs);

  /// Recordings kept for different shapes; the one unused for longest makes room.
  static constexpr size_t kMost = 4;

 private:
  struct Recording;
  std::unique_ptr<Recording> record(const std::vector<at::Tensor>& inputs);

  Function function_;
  std::list<std::unique_ptr<Recording>> recordings_;  // last used first
};

}  // namespace guidegen
