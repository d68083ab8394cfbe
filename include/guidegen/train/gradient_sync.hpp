#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

namespace c10d {
class Reducer;
}

namespace guidegen {

class Collective;

/// Averages gradients over processes while the backward pass still runs (c10d::Reducer: buckets are
/// reduced as soon as their last gradient is there). Gradients live inside the buckets from then
/// on, so they must be zeroed in place, never detached. Does nothing for one process.
class GradientSync {
 public:
  /// `parameters` in the order of registration; all of them get a gradient in every step.
  GradientSync(const std::vector<at::Tensor>& parameters, const Collective& collective);
  ~GradientSync();
  GradientSync(const GradientSync&) = delete;
  GradientSync& operator=(const GradientSync&) = delete;

  /// Call before a backward pass: with `reduce`, gradients accumulated so far and those of this
  /// pass are averaged at its end; else they only accumulate here, without traffic.
  void before_backward(bool reduce);

 private:
  std::unique_ptr<c10d::Reducer> reducer_;
};

}  // namespace guidegen
