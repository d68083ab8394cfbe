#include "stages/latent_sampler.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"
#include "guidegen/data/without_tumors.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;

FeatureGeneratorConfig tiny(const std::string& objective = "flow") {
  FeatureGeneratorConfig config;
  config.unet.channels = {8};
  config.unet.attention_from = 1;
  config.unet.self_attention = false;
  config.mask_width = 8;
  config.objective = objective;
  config.timesteps = 20;
  return config;
}

class LatentSampling : public ::testing::Test {
 protected:
  LatentSampling() { torch::manual_seed(1); }

  FeatureGenerator generator(const FeatureGeneratorConfig& config) const {
    FeatureGenerator made(config, vocabulary_, 4);
    toy::randomize(*made);
    return made;
  }
  LatentRequest request(const std::array<int64_t, 3>& size) const {
    const auto item = toy::toy_case(size, vocabulary_);
    LatentRequest made;
    made.prompt = item->prompt;
    made.mask = {item->mask.unsqueeze(0), item->geometry};
    made.steps = 2;
    return made;
  }

  Vocabulary vocabulary_ = Vocabulary::load("torso");
};

TEST(OverlappingTiles, CoverEveryVoxelAndOverlapByAQuarter) {
  for (const int64_t size : {8, 9, 17, 40, 64}) {
    const Extent extent = {size, 8, 11};
    const Extent tile = {8, 8, 8};
    auto covered = torch::zeros({extent[0], extent[1], extent[2]}, at::kInt);
    const auto boxes = overlapping_tiles(extent, tile);
    for (const auto& box : boxes) {
      for (size_t axis = 0; axis < 3; ++axis) {
        EXPECT_GE(box.low[axis], 0);
        EXPECT_LE(box.high[axis], extent[axis]);
        EXPECT_EQ(box.size(axis), tile[axis]);
      }
      cut(covered, box, whole(extent)).add_(1);
    }
    EXPECT_TRUE(covered.gt(0).all().item<bool>()) << size;
    for (size_t i = 1; i < boxes.size(); ++i) {
      if (boxes[i].low[0] > boxes[i - 1].low[0]) {
        EXPECT_LE(boxes[i].low[0] - boxes[i - 1].low[0], 6);
      }
    }
  }
}

TEST_F(LatentSampling, ATileThatHoldsTheVolumeChangesNothing) {
  auto network = generator(tiny());
  auto asked = request({32, 24, 28});
  const auto plain = network->sample(asked);
  asked.tile = {{7, 16, 8}};
  EXPECT_TRUE(plain.equal(network->sample(asked)));
}

TEST_F(LatentSampling, TilesOfOneNoiseAgreeWithTheWholeWhereTheNetworkIsLocal) {
  // Latents do not depend on their surroundings when convolutions see nothing of them.
  auto network = generator(tiny());
  const torch::NoGradGuard no_grad;
  for (auto& item : network->named_parameters()) {
    if (item.value().dim() == 5 && item.value().size(2) == 3) {
      const auto middle = item.value().select(2, 1).select(2, 1).select(2, 1).clone();
      item.value().zero_();
      item.value().select(2, 1).select(2, 1).select(2, 1).copy_(middle);
    }
    // Field of view and position along the body differ between a tile and the whole.
    if (item.key().starts_with("geometry")) item.value().zero_();
  }
  auto asked = request({64, 48, 56});
  // A mask of one label: what norms over the volume see is then the same in each tile, but noise.
  asked.mask.data.fill_(vocabulary_.body());
  const auto whole_sample = network->sample(asked);
  asked.tile = {{12, 8, 12}};
  const auto tiled = network->sample(asked);
  EXPECT_EQ(tiled.sizes(), whole_sample.sizes());
  const auto difference = (tiled - whole_sample).square().mean().sqrt().item<double>();
  EXPECT_LT(difference, 0.1 * whole_sample.std().item<double>());
}

TEST_F(LatentSampling, TilesAreOfOneSizeAndSampleAnyVolume) {
  auto network = generator(tiny());
  for (const auto& size :
       {std::array<int64_t, 3>{65, 30, 47}, std::array<int64_t, 3>{20, 90, 19}}) {
    auto asked = request(size);
    asked.tile = {{8, 8, 8}};
    const auto z = network->sample(asked);
    EXPECT_EQ(z.size(2), (size[2] + 3) / 4);
    EXPECT_EQ(z.size(4), (size[0] + 3) / 4);
    EXPECT_TRUE(z.isfinite().all().item<bool>());
    EXPECT_TRUE(z.equal(network->sample(asked)));
  }
}

TEST_F(LatentSampling, APairDiffersOnlyAroundTheTumor) {
  for (const char* objective : {"flow", "v"}) {
    auto network = generator(tiny(objective));
    auto asked = request({64, 48, 56});
    asked.mask.data.fill_(vocabulary_.id("liver"));
    asked.mask.data.slice(1, 24, 28).slice(2, 24, 28).slice(3, 28, 36).fill_(vocabulary_.tumor());
    const auto alone = network->sample(asked);
    asked.counterpart = without_tumors(asked.mask, vocabulary_).data;
    const auto pair = network->sample(asked);
    ASSERT_EQ(pair.size(0), 2);
    EXPECT_TRUE(pair[0].equal(alone[0])) << "the first of a pair is the single one";
    const auto differs = (pair[0] - pair[1]).abs().amax(0).gt(0);
    EXPECT_TRUE(differs[6][6][8].item<bool>());
    auto around = torch::zeros_like(differs);
    around.slice(0, 4, 9).slice(1, 4, 9).slice(2, 5, 11).fill_(true);
    EXPECT_FALSE(differs.logical_and(around.logical_not()).any().item<bool>());
  }
}

TEST_F(LatentSampling, GuidanceStepsAwayFromThePredictionWithoutTheCondition) {
  // One Euler step from t = 1 is x - output: guided outputs must be the stated combination.
  auto network = generator(tiny());
  auto asked = request({32, 32, 32});
  asked.steps = 1;
  const auto sample = [&](double text, double mask) {
    asked.text_guidance = text;
    asked.mask_guidance = mask;
    return network->sample(asked).to(at::kDouble);
  };
  const auto full = sample(1, 1);
  const auto twice = sample(2, 1);
  const auto none = sample(0, 1);
  // Linear in the weight of the text: 0, 1 and 2 lie on one line.
  EXPECT_TRUE(at::allclose(twice - full, full - none, 1e-3, 1e-3));
  EXPECT_FALSE(at::allclose(full, none, 1e-3, 1e-3));
  const auto mask_none = sample(1, 0);
  const auto mask_twice = sample(1, 2);
  EXPECT_TRUE(at::allclose(mask_twice - full, full - mask_none, 1e-3, 1e-3));
  EXPECT_FALSE(at::allclose(full, mask_none, 1e-3, 1e-3));
}

TEST_F(LatentSampling, RefusesASolverOfAnotherObjective) {
  auto network = generator(tiny("flow"));
  auto asked = request({32, 32, 32});
  asked.solver = "ddim";
  EXPECT_THAT(
      [&] { network->sample(asked); },
      throws_usage(HasSubstr("solver ddim: the model's objective is flow, expected euler")));
}

TEST_F(LatentSampling, ConditionsThatAreSwitchedOffAreNotLookedAt) {
  auto config = tiny();
  config.mask_condition = "none";
  config.text_condition = "none";
  auto network = generator(config);
  auto asked = request({32, 32, 32});
  const auto sample = network->sample(asked);
  asked.prompt = Prompt{};
  EXPECT_TRUE(sample.equal(network->sample(asked)));
  asked.mask.data = at::Tensor();
  EXPECT_EQ(sample.sizes(), network->sample(asked).sizes());
}

}  // namespace
}  // namespace guidegen
