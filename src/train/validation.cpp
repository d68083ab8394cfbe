#include "train/validation.hpp"

#include <torch/torch.h>

namespace guidegen {

namespace {

constexpr int64_t kValidationStep = -1;  // no training step draws what validation draws

// Puts the averaged weights into the network, in evaluation mode, while alive.
class AveragedWeights {
 public:
  AveragedWeights(torch::nn::Module& module, Optimizer& optimizer)
      : module_(module), optimizer_(optimizer) {
    optimizer_.swap_averages();
    module_.eval();
  }
  ~AveragedWeights() {
    try {
      optimizer_.swap_averages();
      module_.train();
    } catch (...) {  // NOLINT(bugprone-empty-catch): out of memory, say, and the run is failing
    }
  }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  torch::nn::Module& module_;
  Optimizer& optimizer_;
};

}  // namespace

std::optional<double> validation_loss(StageTask& task, const CaseReader& read,
                                      const std::vector<size_t>& indices, uint64_t seed,
                                      Optimizer& optimizer, Collective& collective,
                                      const at::Device& device, const AutocastState& precision) {
  const auto count = static_cast<int64_t>(indices.size());
  if (count == 0) return std::nullopt;
  const torch::NoGradGuard no_grad;
  const AveragedWeights averaged(task.module(), optimizer);
  const auto& world = collective.world();
  auto sum = torch::zeros({1}, at::kDouble);
  for (int64_t i = world.rank; i < count; i += world.size) {
    auto inputs = task.prepare({read(indices[static_cast<size_t>(i)])}, {seed, kValidationStep, i});
    inputs.to(device);
    const AutocastScope autocast(precision);
    sum += task.loss(inputs).total.to(at::kCPU, at::kDouble);
  }
  collective.sum(sum);
  return sum.item<double>() / double(count);
}

}  // namespace guidegen
