#include "guidegen/stages/synthesizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guidegen/volume/labels.hpp"
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
    synthesizer_ = Synthesizer(config_, vocabulary_.size(), vocabulary_.tumor());
  }

  MaskRequest request() const {
    MaskRequest request;
    request.geometry = centered_geometry({18, 17, 19}, {6, 6, 6});
    request.seed = 5;
    request.case_id = "case";
    request.sampling.steps = 3;
    return request;
  }

  Vocabulary vocabulary_;
  SynthesizerConfig config_;
  Synthesizer synthesizer_{nullptr};
};

TEST_F(SynthesizerTest, LossIsFiniteAndReachesEveryParameter) {
  const TrainingBatch batch = {toy::toy_case({16, 20, 18}, vocabulary_, "a"),
                               toy::toy_case({16, 20, 18}, vocabulary_, "b")};
  const auto terms = synthesizer_->loss(synthesizer_->prepare(batch, {1, 0}));
  EXPECT_TRUE(std::isfinite(terms.total.item<double>()));
  terms.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*synthesizer_), ::testing::IsEmpty());
}

TEST_F(SynthesizerTest, LossDependsOnSeedAndStepAlone) {
  const TrainingBatch batch = {toy::toy_case({16, 16, 16}, vocabulary_)};
  const auto first = synthesizer_->loss(synthesizer_->prepare(batch, {1, 7})).total.item<double>();
  EXPECT_EQ(first, synthesizer_->loss(synthesizer_->prepare(batch, {1, 7})).total.item<double>());
  EXPECT_NE(first, synthesizer_->loss(synthesizer_->prepare(batch, {1, 8})).total.item<double>());
}

TEST_F(SynthesizerTest, SampleHasTheAskedShapeAndKnownLabels) {
  const auto mask = synthesizer_->sample(request());
  EXPECT_EQ(mask.sizes(), at::IntArrayRef({19, 17, 18}));
  EXPECT_EQ(mask.scalar_type(), at::kByte);
  EXPECT_LT(mask.max().item<int>(), vocabulary_.size());
}

TEST_F(SynthesizerTest, WorksWithMoreLabelsThanAByteHolds) {
  Synthesizer wide(config_, 300, 299);
  auto item = std::make_shared<TrainingCase>(*toy::toy_case({16, 16, 16}, vocabulary_));
  item->mask = (item->mask.to(at::kInt) + 270).to(at::kUInt16);  // the tumor's id becomes 299
  EXPECT_TRUE(std::isfinite(wide->loss(wide->prepare({item}, {1, 0})).total.item<double>()));
  const auto mask = wide->sample(request());
  EXPECT_EQ(mask.scalar_type(), at::kUInt16);
  const auto [smallest, largest] = label_range(mask);
  EXPECT_LT(largest, 300);
  EXPECT_GT(largest, 255) << "an untrained network draws from all labels";
}

TEST_F(SynthesizerTest, GraphedCallsGiveTheSameSample) {
  toy::randomize(*synthesizer_);
  auto plain = request();
  plain.prompt = toy::toy_case({16, 16, 16}, vocabulary_)->prompt;
  plain.sampling.guidance = 1.5;
  auto graphed = plain;
  graphed.graphed = true;  // plain calls on the CPU, but by way of a graph's inputs
  const auto share_unlike = [&](const MaskRequest& other) {
    const auto differs = synthesizer_->sample(plain) != synthesizer_->sample(other);
    return differs.to(at::kFloat).mean().item<double>();
  };
  // The last digits differ, as texts are longer, and with them a voxel now and then.
  EXPECT_LT(share_unlike(graphed), 1e-3);
  graphed.sampling.guidance = 1.0;
  EXPECT_GT(share_unlike(graphed), 1e-3);
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
  const auto voxels = [&](const std::vector<TumorRequest>& tumors) {
    auto asked = request();
    asked.prompt.tumors = tumors;
    return (synthesizer_->sample(asked) == vocabulary_.tumor()).sum().item<int64_t>();
  };
  TumorRequest large;
  large.organ = TumorOrgan::kLiver;
  large.size_mm = 40;
  EXPECT_GT(voxels({large}), 0);  // an untrained network scatters every label that it may
  EXPECT_EQ(voxels({}), 0);
}

TEST_F(SynthesizerTest, ThePlanAloneMakesTumorVoxelsLikelier) {
  const auto geometry = centered_geometry({16, 16, 16}, {6, 6, 6});
  const TumorPlan plan = {{TumorOrgan::kLiver, TumorPosition::kLiverRight, {0, 0, 0}, 30}};
  SynthesizerImpl::Condition condition{
      AttributeEncoder(config_.text_width)->forward({std::nullopt}), at::zeros({1, 9, 8, 8, 8}),
      plan_log_odds(plan, geometry).unsqueeze(0), at::zeros({1, 6})};
  const auto xt = at::zeros({1, 16, 16, 16}, at::kByte);
  const auto t = torch::tensor({int64_t{40}});
  const auto with = synthesizer_->forward(xt, t, condition);
  condition.odds.zero_();
  const auto without = synthesizer_->forward(xt, t, condition);
  auto difference = with - without;
  const auto at_tumor = difference.select(1, vocabulary_.tumor())[0];
  EXPECT_NEAR(at_tumor[8][8][8].item<float>(), kMaxPlanLogOdds, 1e-4);
  EXPECT_NEAR(at_tumor[0][0][0].item<float>(), -kMaxPlanLogOdds, 1e-4);
  difference.select(1, vocabulary_.tumor()).zero_();
  EXPECT_EQ(difference.abs().max().item<float>(), 0.0F);
}

TEST_F(SynthesizerTest, ConfigSurvivesJson) {
  const Json json = config_.to_json();
  const auto back = SynthesizerConfig::from_json(JsonObject(json, "test"));
  EXPECT_EQ(back.to_json(), json);
}

}  // namespace
}  // namespace guidegen
