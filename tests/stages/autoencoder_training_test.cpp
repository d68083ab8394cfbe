#include "guidegen/stages/autoencoder_training.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

class AutoencoderTrainingTest : public ::testing::Test {
 protected:
  AutoencoderTrainingTest() : vocabulary_(Vocabulary::load("torso")) { torch::manual_seed(1); }

  AutoencoderTraining make(const HdrAutoencoderConfig& config) const {
    return AutoencoderTraining(HdrAutoencoder(config, vocabulary_.size()), vocabulary_.tumor());
  }
  TrainingBatch batch(const std::array<int64_t, 3>& size = {16, 20, 24}) const {
    return {toy::toy_case(size, vocabulary_)};
  }
  static double part(const LossTerms& terms, const std::string& name) {
    for (const auto& [key, value] : terms.parts) {
      if (key == name) return value.item<double>();
    }
    ADD_FAILURE() << "no part " << name;
    return NAN;
  }

  Vocabulary vocabulary_;
};

HdrAutoencoderConfig with_adversary() {
  auto config = toy::tiny_autoencoder();
  config.losses.adversary.weight = 0.5;
  config.losses.adversary.start_step = 3;
  config.losses.adversary.layers = 2;
  config.losses.adversary.width = 4;
  return config;
}

TEST_F(AutoencoderTrainingTest, LossReachesEveryParameter) {
  auto everything = with_adversary();
  everything.fusion_prior = true;
  everything.losses.gradient_weight = 1;
  auto gradient_codes = toy::tiny_autoencoder();
  gradient_codes.bottleneck = "vq";
  gradient_codes.quantizer.update = "gradient";
  for (const auto& config : {toy::tiny_autoencoder(), everything, gradient_codes}) {
    for (const int64_t step : {0, 3}) {
      auto training = make(config);
      training->loss(training->prepare(batch(), {1, step})).total.backward();
      EXPECT_THAT(toy::parameters_without_gradient(*training), ::testing::IsEmpty());
    }
  }
}

double learn(AutoencoderTraining& training, const TrainingBatch& batch, int64_t steps,
             const std::string& watched) {
  torch::optim::Adam optimizer(training->parameters(), torch::optim::AdamOptions(3e-3));
  double first = 0, last = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const auto terms = training->loss(training->prepare(batch, {1, step}));
    for (const auto& [name, value] : terms.parts) {
      if (name == watched) last = value.item<double>();
    }
    if (step == 0) first = last;
    optimizer.zero_grad();
    terms.total.backward();
    optimizer.step();
    training->end_step({}, RandomStream(1, concat(step), "codes"));
  }
  return last / first;
}

TEST_F(AutoencoderTrainingTest, LearnsAToyVolumeWithEachBottleneck) {
  for (const auto& [bottleneck, update] :
       {std::pair("kl", "ema"), std::pair("vq", "ema"), std::pair("vq", "gradient")}) {
    torch::manual_seed(1);
    auto config = toy::tiny_autoencoder();
    config.bottleneck = bottleneck;
    config.quantizer.update = update;
    config.quantizer.codes = 64;
    auto training = make(config);
    EXPECT_LT(learn(training, batch({16, 16, 16}), 80, "fused"), 0.6)
        << bottleneck << " " << update;
  }
}

// The discriminators' part of the gradient must not move the autoencoder, nor the other way round.
TEST_F(AutoencoderTrainingTest, AdversariesLearnApart) {
  auto config = with_adversary();
  Adversary adversary(config.losses.adversary, 4);
  toy::randomize(*adversary);
  const auto made = torch::rand({2, 4, 16, 16, 16}).requires_grad_();
  const auto real = torch::rand({2, 4, 16, 16, 16});
  const auto last = torch::ones({}).requires_grad_();
  const auto judge = [&] {
    const auto out = made * last;
    return adversary->judge(out, real, torch::tensor({{1, 5}, {2, 3}}), 2, out.square().mean(),
                            last);
  };
  judge().discriminator.backward();
  EXPECT_FALSE(made.grad().defined());
  EXPECT_THAT(toy::parameters_without_gradient(*adversary), ::testing::IsEmpty());
  adversary->zero_grad();
  judge().generator.backward();
  EXPECT_TRUE(made.grad().defined());
  for (const auto& weight : adversary->parameters()) {
    EXPECT_TRUE(!weight.grad().defined() || weight.grad().abs().max().item<double>() == 0);
  }
}

TEST_F(AutoencoderTrainingTest, TheAdaptiveWeightMatchesGradientsAtTheLastWeight) {
  auto config = with_adversary();
  config.losses.adversary.feature_weight = 0;
  Adversary adversary(config.losses.adversary, 4);
  toy::randomize(*adversary);
  const auto base = torch::rand({1, 4, 16, 16, 16});
  const auto last = torch::full({1, 4, 1, 1, 1}, 0.5).requires_grad_();
  const auto made = base * last;
  const auto reconstruction = made.square().mean();
  const auto terms = adversary->judge(made, base, torch::tensor({{1, 5}}), 3, reconstruction, last);
  const auto wanted = torch::autograd::grad({reconstruction}, {last}, {}, true)[0].norm();
  const auto got = torch::autograd::grad({terms.generator}, {last}, {}, true)[0].norm();
  EXPECT_NEAR(got.item<double>(), 0.5 * wanted.item<double>(), 0.02 * wanted.item<double>());
}

TEST_F(AutoencoderTrainingTest, DiscriminatorsLearnToTellMadeFromReal) {
  Adversary adversary(with_adversary().losses.adversary, 1);
  torch::optim::Adam optimizer(adversary->parameters(), torch::optim::AdamOptions(3e-3));
  const auto weight = torch::ones({}).requires_grad_();
  double first = 0, last = 0;
  for (int step = 0; step < 40; ++step) {
    const auto made = 0.1 * torch::randn({2, 1, 16, 16, 16}) * weight;
    const auto real = torch::randn({2, 1, 16, 16, 16});
    const auto terms = adversary->judge(made, real, torch::tensor({{1, 9}, {4, 7}}), 4,
                                        made.square().mean(), weight);
    last = terms.discriminator.item<double>();
    if (step == 0) first = last;
    optimizer.zero_grad();
    terms.discriminator.backward();
    optimizer.step();
  }
  EXPECT_LT(last, 0.5 * first);
}

TEST_F(AutoencoderTrainingTest, RareOrgansWeighMoreAndTheMeanStays) {
  auto config = toy::tiny_autoencoder();
  config.losses.organ_balance = 0.5;
  auto training = make(config);
  auto counts = torch::zeros({vocabulary_.size()}, at::kLong);
  counts[0] = 9000;
  counts[vocabulary_.id("liver")] = 900;
  counts[vocabulary_.tumor()] = 100;
  training->set_label_counts(counts);
  at::Tensor weights;
  for (const auto& buffer : training->named_buffers()) {
    if (buffer.key() == "label_weights") weights = buffer.value();
  }
  const auto share = counts.to(at::kFloat) / 10000;
  EXPECT_NEAR((weights * share).sum().item<double>(), 1, 1e-4);
  const auto ratio = weights[vocabulary_.tumor()] / weights[vocabulary_.id("liver")];
  EXPECT_NEAR(ratio.item<double>(), 3, 1e-3);  // (900 / 100)^0.5
}

TEST_F(AutoencoderTrainingTest, TumorsWeighMore) {
  auto config = toy::tiny_autoencoder();
  auto plain = make(config);
  config.losses.tumor_weight = 5;
  torch::manual_seed(1);  // the same weights as the first
  auto weighted = make(config);
  auto inputs = plain->prepare(batch(), {1, 0});
  auto& labels = inputs.tensors["labels"];
  labels = torch::full_like(labels, vocabulary_.id("liver"));
  EXPECT_DOUBLE_EQ(part(plain->loss(inputs), "l1"), part(weighted->loss(inputs), "l1"));
  labels = torch::full_like(labels, vocabulary_.tumor());
  EXPECT_NEAR(part(weighted->loss(inputs), "l1") / part(plain->loss(inputs), "l1"), 5, 1e-4);
}

TEST_F(AutoencoderTrainingTest, CropsLieAroundTumorsAsOftenAsAsked) {
  auto config = toy::tiny_autoencoder();
  config.crop = 8;
  const auto holds_one = [&](double share) {
    config.tumor_crops = share;
    auto training = make(config);
    auto item = std::make_shared<TrainingCase>(*toy::toy_case({40, 40, 40}, vocabulary_));
    item->mask = torch::zeros({40, 40, 40}, at::kByte);
    item->mask[3][38][20] = vocabulary_.tumor();
    FoundTumor tumor;
    tumor.component.centroid_index = {20, 38, 3};
    item->tumors = {tumor};
    int held = 0;
    for (int64_t step = 0; step < 100; ++step) {
      const auto labels = training->prepare({item}, {1, step}).tensor("labels");
      held += labels.eq(vocabulary_.tumor()).any().item<bool>() ? 1 : 0;
    }
    return held;
  };
  EXPECT_EQ(holds_one(1), 100);
  EXPECT_LT(holds_one(0), 15);
  const int half = holds_one(0.5);
  EXPECT_GT(half, 30);
  EXPECT_LT(half, 70);
}

TEST_F(AutoencoderTrainingTest, RareTissuesWeighMore) {
  auto config = toy::tiny_autoencoder();
  config.losses.tissue_balance = 0.5;
  config.losses.kl_weight = 0;
  auto training = make(config);
  // Air, lung, mixtures, fat, soft tissue, bone, dense; no fat at all.
  training->set_tissue_counts(torch::tensor({400, 100, 100, 0, 300, 96, 4}));
  const double soft = std::sqrt(1 / 0.3), dense = std::sqrt(1 / 0.004);
  auto inputs = training->prepare(batch(), {1, 0});
  auto& hu = inputs.tensors["hu"];
  const auto weight_at = [&](double value) {
    hu = torch::full_like(hu, value);
    const auto terms = training->loss(inputs);
    const auto weighted = part(terms, "l1");
    training->set_tissue_counts(torch::full({7}, 1));
    const auto plain = part(training->loss(inputs), "l1");
    training->set_tissue_counts(torch::tensor({400, 100, 100, 0, 300, 96, 4}));
    return weighted / plain;
  };
  EXPECT_NEAR(weight_at(1000) / weight_at(0), dense / soft, 1e-3);
  EXPECT_NEAR(weight_at(999.9) / weight_at(0), std::sqrt(0.3 / 0.096), 1e-3);
}

TEST_F(AutoencoderTrainingTest, ExposureWeightsScaleTheirTerms) {
  auto config = toy::tiny_autoencoder();
  const auto base = make(config);
  config.losses.exposure_weights = {0, 2, 0, 0};
  torch::manual_seed(1);
  auto weighted = make(config);
  torch::manual_seed(1);
  auto plain = make(toy::tiny_autoencoder());
  const auto inputs = plain->prepare(batch(), {1, 0});
  const auto a = plain->loss(inputs), b = weighted->loss(inputs);
  EXPECT_NEAR(part(b, "l1"), 2 * part(a, "l1_soft_tissue") / 4, 1e-6);
}

class Perceptual : public AutoencoderTrainingTest {
 protected:
  // Saves a TorchScript module of the given source; returns its path.
  std::string save(const std::string& source) const {
    torch::jit::Module module("features");
    module.define(source);
    const auto path = (folder_.path() / "features.pt").string();
    module.save(path);
    return path;
  }
  TemporaryFolder folder_;
};

TEST_F(Perceptual, ComparesFeaturesOfUnitLength) {
  PerceptualConfig config;
  config.network = save("def forward(self, x):\n  return [x, (x * 3.0)[:, :, ::2]]\n");
  const PerceptualLoss loss(config);
  const auto slices = torch::tensor({{0, 2}});
  const auto real = 200 * torch::rand({1, 1, 4, 8, 8});
  EXPECT_NEAR(loss(real, real, slices).item<double>(), 0, 1e-7);
  // The three channels are equal: of unit length 1/sqrt(3) each wherever the window shows more than
  // its lower end, and 0 where not. Layer by layer the distance is then the share of such voxels.
  const auto air = torch::full({1, 1, 4, 8, 8}, -1000.0);
  EXPECT_NEAR(loss(air, real, slices).item<double>(), 1, 1e-4);
  const auto made = real.clone().requires_grad_();
  loss(made * 0.5 - 100, real, slices).backward();
  EXPECT_TRUE(made.grad().isfinite().all().item<bool>());
}

TEST_F(Perceptual, TrainsAsPartOfTheLoss) {
  auto config = toy::tiny_autoencoder();
  config.losses.perceptual.network =
      save("def forward(self, x):\n  return torch.avg_pool2d(x, 2)\n");
  auto training = make(config);
  const auto terms = training->loss(training->prepare(batch(), {1, 0}));
  EXPECT_GE(part(terms, "perceptual"), 0);
  terms.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*training), ::testing::IsEmpty());
}

TEST_F(Perceptual, FilesThatAreNoFeatureNetworkAreRefused) {
  PerceptualConfig config;
  config.network = (folder_.path() / "none.pt").string();
  EXPECT_THAT([&] { PerceptualLoss{config}; }, throws_usage(::testing::HasSubstr("no such file")));
  config.network = save("def forward(self, x):\n  return x.mean()\n");
  EXPECT_THAT([&] { PerceptualLoss{config}; },
              throws_usage(::testing::HasSubstr("gives no features")));
}

}  // namespace
}  // namespace guidegen
