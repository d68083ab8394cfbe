#include "guidegen/train/collective.hpp"

// The wheel's libraries were built with Gloo; its headers are guarded by this macro.
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <chrono>
#include <cstdlib>

#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/nn/accelerator.hpp"
#include "guidegen/train/meeting.hpp"

namespace guidegen {

namespace {

using c10d::ProcessGroup;

// The first step may wait for rank 0 to read the data set and fit what is fitted before training.
constexpr std::chrono::minutes kTimeout{30};

c10::intrusive_ptr<c10d::Backend> gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                       const World& world) {
  auto options = c10d::ProcessGroupGloo::Options::create(kTimeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices = {interface != nullptr && *interface != '\0'
                          ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                          : c10d::ProcessGroupGloo::createDefaultDevice()};
  options->threads = 2;
  return c10::make_intrusive<c10d::ProcessGroupGloo>(
      c10::make_intrusive<c10d::PrefixStore>("gloo", store), world.rank, world.size, options);
}

void all_reduce(ProcessGroup& group, const at::Tensor& values, c10d::ReduceOp::RedOpType how) {
  std::vector<at::Tensor> tensors = {values};
  c10d::AllreduceOptions options;
  options.reduceOp = how;
  group.allreduce(tensors, options)->wait();
}

}  // namespace

struct Collective::Groups {
  c10::intrusive_ptr<ProcessGroup> control;
  c10::intrusive_ptr<ProcessGroup> gradients;
};

Collective::Collective(const World& world, const at::Device& device)
    : world_(world), groups_(std::make_unique<Groups>()) {
  if (world.alone()) return;
  const auto store = meet(world);
  auto control = c10::make_intrusive<ProcessGroup>(store, world.rank, world.size);
  control->setBackend(at::kCPU, ProcessGroup::GLOO, gloo(store, world));
  control->setDefaultBackend(ProcessGroup::GLOO);
  groups_->control = control;
  groups_->gradients = control;
  if (device.is_cuda()) {
    auto nccl = accelerator()->make_process_group(
        c10::make_intrusive<c10d::PrefixStore>("nccl", store), world.rank, world.size, kTimeout);
    auto group = c10::make_intrusive<ProcessGroup>(store, world.rank, world.size);
    group->setBackend(at::kCUDA, ProcessGroup::NCCL, nccl);
    group->setDefaultBackend(ProcessGroup::NCCL);
    groups_->gradients = group;
  }
  barrier();
  if (world.first()) log_info(concat(world.size, " processes train together"));
}

Collective::~Collective() = default;

c10::intrusive_ptr<ProcessGroup> Collective::gradients() const { return groups_->gradients; }

void Collective::broadcast(const std::vector<at::Tensor>& tensors) {
  if (world_.alone()) return;
  std::vector<c10::intrusive_ptr<c10d::Work>> works;
  std::vector<std::vector<at::Tensor>> lists;  // outlive the transfers
  for (const auto& tensor : tensors) {
    auto& group = tensor.is_cpu() ? groups_->control : groups_->gradients;
    lists.push_back({tensor.detach()});
    if (!lists.back()[0].is_contiguous() && !tensor.is_non_overlapping_and_dense()) {
      throw_failure("broadcast: a tensor of strides ", tensor.strides(), " is not dense");
    }
    works.push_back(group->broadcast(lists.back(), {}));
  }
  for (auto& work : works) work->wait();
}

int64_t Collective::broadcast(int64_t value) {
  const auto tensor = at::scalar_tensor(value, at::kLong).view({1});
  broadcast(std::vector<at::Tensor>{tensor});
  return tensor.item<int64_t>();
}

void Collective::sum(at::Tensor values) {
  if (!world_.alone()) all_reduce(*groups_->control, values, c10d::ReduceOp::SUM);
}

void Collective::maximum(at::Tensor values) {
  if (!world_.alone()) all_reduce(*groups_->control, values, c10d::ReduceOp::MAX);
}

bool Collective::any(bool here) {
  if (world_.alone()) return here;
  const auto flag = at::scalar_tensor(here ? 1 : 0, at::kInt).view({1});
  maximum(flag);
  return flag.item<int>() != 0;
}

void Collective::barrier() { any(false); }

}  // namespace guidegen
