#include "guidegen/stages/generator_training.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

class GeneratorTrains : public ::testing::Test {
 protected:
  GeneratorTrains() {
    torch::manual_seed(1);
    config_.unet.channels = {8};
    config_.unet.attention_from = 1;
    config_.unet.self_attention = false;
    config_.mask_width = 8;
    config_.timesteps = 20;
  }
  GeneratorTraining training() const {
    return GeneratorTraining(FeatureGenerator(config_, vocabulary_, 4));
  }
  static double part(const LossTerms& terms, const std::string& name) {
    for (const auto& [key, value] : terms.parts) {
      if (key == name) return value.item<double>();
    }
    ADD_FAILURE() << "no part " << name;
    return 0;
  }

  Vocabulary vocabulary_ = Vocabulary::load("torso");
  FeatureGeneratorConfig config_;
};

TEST_F(GeneratorTrains, OnCropsOfCasesOfAnySize) {
  config_.crop = {{16, 20, 24}};
  config_.mask_dropout = 0;
  auto training = this->training();
  const TrainingBatch batch = {toy::toy_case({32, 24, 40}, vocabulary_, "one"),
                               toy::toy_case({17, 21, 25}, vocabulary_, "two")};
  for (int64_t step = 0; step < 20; ++step) {
    const auto inputs = training->prepare(batch, {1, step});
    EXPECT_EQ(inputs.tensor("mask").sizes(), (std::vector<int64_t>{2, 24, 20, 16}));
    EXPECT_EQ(inputs.tensor("noise").sizes(), (std::vector<int64_t>{2, 4, 6, 5, 4}));
    ASSERT_EQ(inputs.origins.size(), 2U);
    for (size_t i = 0; i < 2; ++i) {
      // What is seen is the case's own mask at the crop's place.
      auto seen = torch::zeros({24, 20, 16}, at::kInt);
      const auto part = batch[i]
                            ->mask.slice(0, 4 * inputs.origins[i][0])
                            .slice(1, 4 * inputs.origins[i][1])
                            .slice(2, 4 * inputs.origins[i][2])
                            .slice(0, 0, 24)
                            .slice(1, 0, 20)
                            .slice(2, 0, 16);
      seen.slice(0, 0, part.size(0))
          .slice(1, 0, part.size(1))
          .slice(2, 0, part.size(2))
          .copy_(part);
      EXPECT_TRUE(inputs.tensor("mask")[static_cast<int64_t>(i)].equal(seen)) << step;
    }
  }
}

TEST_F(GeneratorTrains, RefusesCasesSmallerThanTheCrop) {
  config_.crop = {{32, 32, 32}};
  auto training = this->training();
  const TrainingBatch batch = {toy::toy_case({32, 24, 32}, vocabulary_, "slim")};
  EXPECT_THAT([&] { training->prepare(batch, {1, 0}); }, throws_failure(HasSubstr("case slim")));
}

TEST_F(GeneratorTrains, NamesTheRemedyForCasesOfDifferentSizes) {
  auto training = this->training();
  const TrainingBatch batch = {toy::toy_case({32, 24, 40}, vocabulary_),
                               toy::toy_case({16, 24, 40}, vocabulary_)};
  EXPECT_THAT(
      [&] {
        training->prepare(batch, {1, 0});
      },
      throws_failure(HasSubstr("set network.crop")));
}

TEST_F(GeneratorTrains, TumorsWeighMore) {
  // An untrained network is off by the target everywhere; the latents of the tumor are made to be
  // far off, so that its weight shows in the loss by a known factor.
  config_.mask_dropout = 0;
  const auto item = toy::toy_case({32, 32, 32}, vocabulary_);
  auto tumor = at::max_pool3d(
      item->mask.eq(vocabulary_.tumor()).to(at::kFloat).unsqueeze(0).unsqueeze(0), {4, 4, 4});
  const double share = tumor.mean().item<double>();
  const auto latents = tumor * 1000.0;
  const auto loss_of = [&](double weight) {
    config_.losses.tumor_weight = weight;
    auto training = this->training();
    return training->loss(training->prepare({item}, {1, 0}), latents.expand({1, 4, 8, 8, 8}))
        .total.item<double>();
  };
  EXPECT_NEAR(loss_of(1), share * 1e6, 0.05 * share * 1e6);
  EXPECT_NEAR(loss_of(5) / loss_of(1), 5, 0.05);
}

TEST_F(GeneratorTrains, TheContrastAsksWhetherTheTumorIsSeen) {
  config_.mask_dropout = 0;
  config_.losses.tumor_contrast = 1;
  auto training = this->training();
  const auto item = toy::toy_case({32, 32, 32}, vocabulary_);
  const auto inputs = training->prepare({item, item}, {1, 0});
  ASSERT_THAT(inputs.tensors, Contains(Key("contrast_mask")));
  EXPECT_FALSE(inputs.tensor("contrast_mask").eq(vocabulary_.tumor()).any().item<bool>());
  const auto latents = torch::randn({2, 4, 8, 8, 8});
  // Its output is zero whatever the mask: nothing to choose between, and nothing differs elsewhere.
  const auto blind = training->loss(inputs, latents);
  EXPECT_NEAR(part(blind, "tumor_contrast"), std::log(2.0), 1e-6);
  EXPECT_NEAR(part(blind, "tumor_elsewhere"), 0.0, 1e-9);
  toy::randomize(*training);
  const auto seeing = training->loss(inputs, latents);
  EXPECT_GT(std::abs(part(seeing, "tumor_contrast") - std::log(2.0)), 1e-3);
  seeing.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*training), ::testing::IsEmpty());
}

TEST_F(GeneratorTrains, TheContrastLooksAtCropsToo) {
  config_.mask_dropout = 0;
  config_.losses.tumor_contrast = 1;
  config_.crop = {{16, 16, 16}};
  auto training = this->training();
  const auto item = toy::toy_case({34, 30, 33}, vocabulary_);
  const auto inputs = training->prepare({item}, {1, 0});
  ASSERT_THAT(inputs.tensors, Contains(Key("contrast_mask")));
  EXPECT_EQ(inputs.tensor("contrast_mask").sizes(), (std::vector<int64_t>{1, 16, 16, 16}));
}

TEST_F(GeneratorTrains, WithoutTumorsThereIsNothingToContrast) {
  config_.losses.tumor_contrast = 1;
  auto item = std::make_shared<TrainingCase>(*toy::toy_case({32, 32, 32}, vocabulary_));
  item->mask = torch::full_like(item->mask, vocabulary_.body());
  item->tumors.clear();
  const auto inputs = training()->prepare({item}, {1, 0});
  EXPECT_THAT(inputs.tensors, Not(Contains(Key("contrast_mask"))));
}

TEST_F(GeneratorTrains, MinSnrWeighsAsPublished) {
  // Hang et al., ICCV 2023: min(SNR, gamma) / SNR for epsilon, / (SNR + 1) for v.
  const auto item = toy::toy_case({16, 16, 16}, vocabulary_);
  for (const char* objective : {"epsilon", "v"}) {
    config_.objective = objective;
    auto training = this->training();
    for (int64_t step = 0; step < 30; ++step) {
      const auto inputs = training->prepare({item}, {1, step});
      const auto t = inputs.tensor("time")[0].item<int64_t>();
      const double alpha_bar = NoiseSchedule("cosine", 20).alpha_bar(t);
      const double snr = alpha_bar / (1 - alpha_bar);
      const double expected = std::min(snr, 5.0) / (std::string(objective) == "v" ? snr + 1 : snr);
      EXPECT_NEAR(inputs.tensor("time_weight")[0].item<double>(), expected, 1e-5 * expected);
    }
  }
}

TEST_F(GeneratorTrains, LargerVolumesAreTrainedAtMoreNoise) {
  config_.shift_voxels = 64;  // 4 x 4 x 4 latent voxels
  EXPECT_DOUBLE_EQ(config_.size_shift(64), 1);
  EXPECT_DOUBLE_EQ(config_.size_shift(512), 2);  // twice along each axis
  EXPECT_DOUBLE_EQ(config_.size_shift(8), 1);    // never towards less
  auto training = this->training();
  const auto mean_time = [&](int64_t edge) {
    const auto item = toy::toy_case({edge, edge, edge}, vocabulary_);
    double sum = 0;
    for (int64_t step = 0; step < 100; ++step) {
      sum += training->prepare({item}, {1, step}).tensor("time")[0].item<double>();
    }
    return sum / 100;
  };
  EXPECT_GT(mean_time(32), mean_time(16) + 0.08);
}

}  // namespace
}  // namespace guidegen
