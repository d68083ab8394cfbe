#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "guidegen/train/world.hpp"

namespace c10d {
class ProcessGroup;
}

namespace guidegen {

/// What the processes of a run do together. Two groups: Gloo for control, which never waits for a
/// GPU, and for gradients NCCL on GPUs or Gloo on processors. With one process every call returns
/// at once. A process that dies makes the calls of the others throw c10::Error or
/// std::runtime_error.
class Collective {
 public:
  /// Meets the others; throws Error(kFailure) naming the meeting point when they do not come.
  Collective(const World& world, const at::Device& device);
  ~Collective();
  Collective(const Collective&) = delete;
  Collective& operator=(const Collective&) = delete;

  const World& world() const { return world_; }
  /// Gives every process the values of rank 0, in place. Tensors of any device.
  void broadcast(const std::vector<at::Tensor>& tensors);
  int64_t broadcast(int64_t value);
  /// Element-wise over processes, in place; CPU tensors.
  void sum(at::Tensor values);
  void maximum(at::Tensor values);
  bool any(bool here);
  void barrier();

  /// The group that reduces gradients; null for one process.
  c10::intrusive_ptr<c10d::ProcessGroup> gradients() const;

 private:
  struct Groups;
  World world_;
  std::unique_ptr<Groups> groups_;
};

}  // namespace guidegen
