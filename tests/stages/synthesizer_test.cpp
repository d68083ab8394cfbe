#include "guidegen/stages/synthesizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

class SynthesizerTest : public ::testing::Test {
 protected:
  SynthesizerTest() : vocabulary_(Vocabulary::load("torso")) {
    torch::manual_seed(3);
    config_.unet.channels = {8, 16};
    config_.unet.attention_from = 0;
    config_.timesteps = 50;
    config_.prompt_dropout = 0;  // else a field's parameters may see no gradient
    config_.field_dropout = 0;
    synthesizer_ = Synthesizer(config_, vocabulary_.size());
  }

  SynthesizerImpl::Request request() const {
    SynthesizerImpl::Request request;
    request.geometry = centered_geometry({18, 17, 19}, {6, 6, 6});
    request.seed = 5;
    request.case_id = "case";
    request.steps = 3;
    return request;
  }

  Vocabulary vocabulary_;
  SynthesizerConfig config_;
  Synthesizer synthesizer_{nullptr};
};

TEST_F(SynthesizerTest, LossIsFiniteAndReachesEveryParameter) {
  const TrainingBatch batch = {toy::toy_case({16, 20, 18}, vocabulary_, "a"),
                               toy::toy_case({16, 20, 18}, vocabulary_, "b")};
  const auto terms = synthesizer_->loss(batch, {1, 0});
  EXPECT_TRUE(std::isfinite(terms.total.item<double>()));
  terms.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*synthesizer_), ::testing::IsEmpty());
}

TEST_F(SynthesizerTest, LossDependsOnSeedAndStepAlone) {
  const TrainingBatch batch = {toy::toy_case({16, 16, 16}, vocabulary_)};
  const auto first = synthesizer_->loss(batch, {1, 7}).total.item<double>();
  EXPECT_EQ(first, synthesizer_->loss(batch, {1, 7}).total.item<double>());
  EXPECT_NE(first, synthesizer_->loss(batch, {1, 8}).total.item<double>());
}

TEST_F(SynthesizerTest, SampleHasTheAskedShapeAndKnownLabels) {
  const auto mask = synthesizer_->sample(request());
  EXPECT_EQ(mask.sizes(), at::IntArrayRef({19, 17, 18}));
  EXPECT_EQ(mask.scalar_type(), at::kByte);
  EXPECT_LT(mask.max().item<int>(), vocabulary_.size());
}

TEST_F(SynthesizerTest, SampleIsAFunctionOfSeedAndCase) {
  const auto first = synthesizer_->sample(request());
  EXPECT_TRUE(first.equal(synthesizer_->sample(request())));
  auto other_seed = request();
  other_seed.seed = 6;
  EXPECT_FALSE(first.equal(synthesizer_->sample(other_seed)));
  auto other_case = request();
  other_case.case_id = "another";
  EXPECT_FALSE(first.equal(synthesizer_->sample(other_case)));
}

TEST_F(SynthesizerTest, NoTumorsAskedMeansNoTumorVoxel) {
  auto without = request();
  without.prompt.tumors = std::vector<TumorRequest>{};
  const auto count = [&] {
    return (synthesizer_->sample(without) == vocabulary_.tumor()).sum().item<int64_t>();
  };
  EXPECT_GT(count(), 0);  // an untrained network scatters every label
  without.tumor_label = vocabulary_.tumor();
  EXPECT_EQ(count(), 0);
}

TEST_F(SynthesizerTest, ConfigSurvivesJson) {
  const Json json = config_.to_json();
  const auto back = SynthesizerConfig::from_json(JsonObject(json, "test"));
  EXPECT_EQ(back.to_json(), json);
}

}  // namespace
}  // namespace guidegen
