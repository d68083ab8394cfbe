#pragma once

#include <chrono>

#include "guidegen/core/json.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/train/collective.hpp"

namespace guidegen {

/// Gathers what a run reports: the losses of the last step, throughput, waiting for data, memory.
class StepMeter {
 public:
  explicit StepMeter(int64_t cases_a_step) : cases_a_step_(cases_a_step) {}

  /// Begins the first interval.
  void start();
  /// Adds the losses of a micro-batch, `share` of the cases of its step. Waits for no device.
  void add(const LossTerms& terms, double share);
  void end_step();

  /// Counts the time until it is destroyed as waiting for data.
  class Waiting {
   public:
    explicit Waiting(double& total) : total_(total) {}
    ~Waiting();

   private:
    double& total_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  };
  Waiting waiting() { return Waiting(wait_seconds_); }

  /// Losses of the step under way over all processes, and what passed since the last report:
  /// loss and its parts, seconds_per_step, cases_per_second, data_wait_share (mean over processes),
  /// memory_gib (peak of the worst process) and, on a GPU, gpu_memory_gib. Called by all processes.
  Json report(Collective& collective, const at::Device& device);

 private:
  int64_t cases_a_step_;
  std::vector<std::string> names_;
  at::Tensor losses_;  // float32 [1 + parts] on the device; undefined before the first micro-batch
  double wait_seconds_ = 0;
  int64_t steps_ = 0;
  std::chrono::steady_clock::time_point begin_{};
};

}  // namespace guidegen
