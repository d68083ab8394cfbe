#include <gtest/gtest.h>
#include <torch/torch.h>

#include "guidegen/stages/synthesizer.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

class ClassWeights : public ::testing::Test {
 protected:
  ClassWeights() : vocabulary_(Vocabulary::load("torso")) {
    torch::manual_seed(3);
    config_.unet.channels = {8, 8};
    config_.timesteps = 50;
    config_.kl_weight = 0;
    config_.plan_voxel_weight = 0;
    config_.class_weight_exponent = 0.5;
    synthesizer_ = Synthesizer(config_, vocabulary_.size(), vocabulary_.tumor());
    auto counts = torch::zeros({vocabulary_.size()}, at::kLong);
    counts[0] = 900'000;
    counts[1] = 100'000;
    synthesizer_->set_label_counts(counts);
  }

  // A mask without structure: one voxel of ten has label 1.
  std::shared_ptr<const TrainingCase> noise_case() const {
    auto item = std::make_shared<TrainingCase>(*toy::toy_case({16, 16, 16}, vocabulary_));
    item->mask = (torch::rand({16, 16, 16}) < 0.1).to(at::kByte);
    item->tumors.clear();
    return item;
  }

  Vocabulary vocabulary_;
  SynthesizerConfig config_;
  Synthesizer synthesizer_{nullptr};
};

TEST_F(ClassWeights, FollowTheFrequenciesAndAverageToOne) {
  const auto weights = synthesizer_->named_buffers()["class_weights"];
  EXPECT_NEAR((weights[0] * 0.9 + weights[1] * 0.1).item<double>(), 1.0, 0.02);
  EXPECT_NEAR((weights[1] / weights[0]).item<double>(), 3.0, 0.01);
  EXPECT_EQ(weights[vocabulary_.tumor()].item<float>(), 1.0F) << "plans weigh tumors";
}

TEST_F(ClassWeights, DoNotBiasWhatTheNetworkLearns) {
  // Where nothing tells the labels apart, all that can be learned is how frequent they are; the
  // bias of the last layer alone can say that.
  for (auto& parameter : synthesizer_->parameters()) parameter.set_requires_grad(false);
  auto parameters = synthesizer_->named_parameters();
  parameters["output.weight"].zero_();
  auto& bias = parameters["output.bias"];
  bias.set_requires_grad(true);
  torch::optim::Adam optimizer({bias}, torch::optim::AdamOptions(0.1));
  for (int64_t step = 0; step < 120; ++step) {
    for (auto& group : optimizer.param_groups()) group.options().set_lr(step < 80 ? 0.1 : 0.02);
    optimizer.zero_grad();
    synthesizer_->loss(synthesizer_->prepare({noise_case()}, {1, step})).total.backward();
    optimizer.step();
  }
  const double odds = (bias[1] - bias[0]).item<double>();
  EXPECT_NEAR(odds, std::log(0.1 / 0.9), 0.15);  // with the weights' bias, log 3 = 1.1 higher
}

}  // namespace
}  // namespace guidegen
