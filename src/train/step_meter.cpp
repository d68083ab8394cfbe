#include "train/step_meter.hpp"

#include <torch/torch.h>

#include "guidegen/nn/accelerator.hpp"
#include "guidegen/train/resource_usage.hpp"

namespace guidegen {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double gib(int64_t bytes) { return double(bytes) / double(int64_t{1} << 30); }

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

StepMeter::Waiting::~Waiting() { total_ += seconds_since(start_); }

void StepMeter::start() { begin_ = Clock::now(); }

void StepMeter::add(const LossTerms& terms, double share) {
  names_ = {"loss"};
  std::vector<at::Tensor> values = {terms.total.detach().to(at::kFloat)};
  for (const auto& [name, value] : terms.parts) {
    names_.push_back(name);
    values.push_back(value.to(values.front().options()));
  }
  const auto losses = torch::stack(values) * share;
  losses_ = losses_.defined() ? losses_ + losses : losses;
}

void StepMeter::end_step() {
  losses_ = at::Tensor();
  ++steps_;
}

Json StepMeter::report(Collective& collective, const at::Device& device) {
  const double elapsed = seconds_since(begin_);
  const auto steps = double(steps_ + 1);
  // Float64, so that a sum over processes rounds to the same float32 losses for any of them.
  auto sums =
      torch::cat({losses_.to(at::kCPU, at::kDouble),
                  torch::tensor({elapsed > 0 ? wait_seconds_ / elapsed : 0.0}, at::kDouble)});
  collective.sum(sums);
  int64_t on_gpu = 0;
  if (device.is_cuda()) on_gpu = accelerator()->memory(device.index()).peak;
  auto memory = torch::tensor({peak_resident_bytes(), on_gpu}, at::kLong);
  collective.maximum(memory);

  Json out = Json::object();
  for (size_t i = 0; i < names_.size(); ++i) {
    out[names_[i]] = finite(sums[int64_t(i)].item<double>());
  }
  out["seconds_per_step"] = elapsed / steps;
  out["cases_per_second"] = elapsed > 0 ? double(cases_a_step_) * steps / elapsed : 0.0;
  out["data_wait_share"] = sums[-1].item<double>() / double(collective.world().size);
  out["memory_gib"] = gib(memory[0].item<int64_t>());
  if (device.is_cuda()) out["gpu_memory_gib"] = gib(memory[1].item<int64_t>());
  begin_ = Clock::now();
  wait_seconds_ = 0;
  steps_ = -1;  // the step under way is counted already
  return out;
}

}  // namespace guidegen
