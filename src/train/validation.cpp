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
    module_.train();
    optimizer_.swap_averages();
  }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  torch::nn::Module& module_;
  Optimizer& optimizer_;
};

}  // namespace

std::optional<double> validation_loss(StageTask& task, const Dataset& dataset,
                                      const TrainingConfig& config, Optimizer& optimizer,
                                      Collective& collective, const at::Device& device,
                                      const AutocastState& precision) {
  const auto indices = dataset.validation_indices(config.validation_share);
  const auto count = std::min<int64_t>(config.validation_cases, int64_t(indices.size()));
  if (count == 0) return std::nullopt;
  const torch::NoGradGuard no_grad;
  const AveragedWeights averaged(task.module(), optimizer);
  const auto& world = collective.world();
  auto sum = torch::zeros({1}, at::kDouble);
  for (int64_t i = world.rank; i < count; i += world.size) {
    const auto item = load_training_case(dataset, indices[size_t(i)], task.needs_ct());
    auto inputs = task.prepare({item}, {config.seed, kValidationStep, i});
    inputs.to(device);
    const AutocastScope autocast(precision);
    sum += task.loss(inputs).total.to(at::kCPU, at::kDouble);
  }
  collective.sum(sum);
  return sum.item<double>() / double(count);
}

}  // namespace guidegen
