#pragma once

#include <ATen/ATen.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "guidegen/diffusion/noise_schedule.hpp"

namespace guidegen {

/// alpha_bar(0…T) [T+1] float64 on every device that asked for it: copied there once, so that no
/// later call has to move anything.
class ScheduleTable {
 public:
  explicit ScheduleTable(const NoiseSchedule& schedule) {
    std::vector<double> values;
    for (int64_t t = 0; t <= schedule.steps(); ++t) values.push_back(schedule.alpha_bar(t));
    table_ = at::tensor(values, at::kDouble);
  }

  at::Tensor on(c10::Device device) {
    if (device.is_cpu()) return table_;
    const std::scoped_lock lock(mutex_);
    at::Tensor& copy = copies_[device.str()];
    if (!copy.defined()) copy = table_.to(device);
    return copy;
  }

 private:
  at::Tensor table_;
  std::mutex mutex_;
  std::map<std::string, at::Tensor> copies_;
};

}  // namespace guidegen
