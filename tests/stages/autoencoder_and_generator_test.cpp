#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guidegen/stages/generator_training.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

FeatureGeneratorConfig tiny_generator(const std::string& objective) {
  FeatureGeneratorConfig config;
  config.unet.channels = {8, 16};
  config.unet.attention_from = 0;
  config.mask_width = 8;
  config.objective = objective;
  config.timesteps = 20;
  config.prompt_dropout = 0;  // else a field's parameters may see no gradient
  config.field_dropout = 0;
  return config;
}

TEST(HdrAutoencoder, ReconstructsAnySizeWithAndWithoutAMask) {
  const auto vocabulary = Vocabulary::load("torso");
  HdrAutoencoder autoencoder(toy::tiny_autoencoder(), vocabulary.size());
  const auto item = toy::toy_case({17, 14, 19}, vocabulary);
  const Volume ct{item->ct.to(at::kFloat).unsqueeze(0), item->geometry};
  const Volume mask{item->mask.unsqueeze(0), item->geometry};
  for (const Volume* guide : {static_cast<const Volume*>(nullptr), &mask}) {
    const auto made = reconstruct_ct(autoencoder, ct, guide);
    EXPECT_EQ(made.data.sizes(), ct.data.sizes());
    EXPECT_TRUE(same_geometry(made.geometry, ct.geometry));
    EXPECT_GE(made.data.min().item<float>(), -1025.0F);
    EXPECT_LE(made.data.max().item<float>(), 3072.0F);
  }
}

class FeatureGeneratorTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FeatureGeneratorTest, TrainsAndSamples) {
  torch::manual_seed(1);
  const auto vocabulary = Vocabulary::load("torso");
  FeatureGenerator generator(tiny_generator(GetParam()), vocabulary, 4);
  const auto item = toy::toy_case({18, 14, 17}, vocabulary);
  const auto latents = torch::randn({1, 4, 5, 4, 5});
  const TrainingBatch batch = {item};
  GeneratorTraining training(generator);
  const auto terms = training->loss(training->prepare(batch, {1, 0}), latents);
  EXPECT_TRUE(std::isfinite(terms.total.item<double>()));
  terms.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*generator), ::testing::IsEmpty());

  LatentRequest request;
  request.prompt = item->prompt;
  request.mask = {item->mask.unsqueeze(0), item->geometry};
  request.case_id = "case";
  request.steps = 3;
  request.text_guidance = 1.5;
  const auto first = generator->sample(request);
  EXPECT_EQ(first.sizes(), latents.sizes());
  EXPECT_TRUE(first.equal(generator->sample(request)));
  request.seed = 1;
  EXPECT_FALSE(first.equal(generator->sample(request)));
}

TEST_P(FeatureGeneratorTest, GraphedCallsGiveTheSameSample) {
  torch::manual_seed(1);
  const auto vocabulary = Vocabulary::load("torso");
  FeatureGenerator generator(tiny_generator(GetParam()), vocabulary, 4);
  toy::randomize(*generator);
  const auto item = toy::toy_case({18, 14, 17}, vocabulary);
  LatentRequest request;
  request.prompt = item->prompt;
  request.mask = {item->mask.unsqueeze(0), item->geometry};
  request.steps = 3;
  request.text_guidance = 1.5;
  const auto plain = generator->sample(request);
  request.graphed = true;  // plain calls on the CPU, but by way of a graph's inputs
  EXPECT_TRUE(at::allclose(plain, generator->sample(request), 1e-3, 1e-3));
  request.prompt = Prompt{};
  EXPECT_FALSE(at::allclose(plain, generator->sample(request), 1e-3, 1e-3));
}

INSTANTIATE_TEST_SUITE_P(Objectives, FeatureGeneratorTest,
                         ::testing::Values("flow", "epsilon", "v"));

TEST(FeatureGenerator, SamplesComeOutOnTheAutoencodersScale) {
  torch::manual_seed(1);
  FeatureGenerator generator(tiny_generator("flow"), Vocabulary::load("torso"), 4);
  generator->set_latent_statistics(torch::full({4}, 10.0), torch::full({4}, 0.5));
  LatentRequest request;
  request.mask = {torch::zeros({1, 32, 32, 32}, at::kByte),
                  centered_geometry({32, 32, 32}, {6, 6, 6})};
  // The output layer starts at zero: without training the flow stands still and gives its noise.
  const auto z = generator->sample(request);
  EXPECT_NEAR(z.mean().item<double>(), 10.0, 0.1);
  EXPECT_NEAR(z.std().item<double>(), 0.5, 0.05);
}

}  // namespace
}  // namespace guidegen
