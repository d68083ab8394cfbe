#include <gtest/gtest.h>

#include "core/error_matchers.hpp"
#include "guidegen/stages/synthesizer.hpp"
#include "guidegen/volume/components.hpp"
#include "guidegen/volume/labels.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

class MaskSamplerTest : public ::testing::Test {
 protected:
  MaskSamplerTest() : vocabulary_(Vocabulary::load("torso")) {
    torch::manual_seed(3);
    SynthesizerConfig config;
    config.unet.channels = {8, 16};
    config.timesteps = 50;
    synthesizer_ = Synthesizer(config, vocabulary_.size(), vocabulary_.tumor());
    case_ = toy::toy_case({21, 22, 24}, vocabulary_);
  }

  MaskRequest request() const {
    MaskRequest request;
    request.geometry = case_->geometry;
    request.seed = 5;
    request.case_id = "case";
    request.sampling.steps = 4;
    request.vocabulary = &vocabulary_;
    request.prompt.tumors = std::vector<TumorRequest>{};
    return request;
  }
  GivenLabels given(const std::string& label) const {
    return {case_->mask, voxels_of(case_->mask, vocabulary_.id(label)), {vocabulary_.id(label)}};
  }
  int64_t voxels(const at::Tensor& mask, int label) const {
    return voxels_of(mask, label).sum().item<int64_t>();
  }
  TumorRequest liver_tumor(double size_mm) const {
    TumorRequest tumor;
    tumor.organ = TumorOrgan::kLiver;
    tumor.position = TumorPosition::kLiverRight;
    tumor.size_mm = size_mm;
    tumor.count = 1;
    return tumor;
  }

  Vocabulary vocabulary_;
  Synthesizer synthesizer_{nullptr};
  std::shared_ptr<const TrainingCase> case_;
};

TEST_F(MaskSamplerTest, KeptLabelsStayAndOccurNowhereElse) {
  const GivenLabels kept = given("liver");
  auto asked = request();
  asked.given = &kept;
  const auto mask = synthesizer_->sample(asked);
  EXPECT_TRUE(voxels_of(mask, vocabulary_.id("liver")).equal(kept.fixed));
  auto free = request();
  EXPECT_FALSE(mask.equal(synthesizer_->sample(free)));
}

TEST_F(MaskSamplerTest, OnlyTheRegionIsMadeAnew) {
  GivenLabels kept{case_->mask, torch::ones_like(case_->mask, at::kBool), {}};
  kept.fixed.slice(0, 0, 12).fill_(false);
  for (const bool majority : {true, false}) {
    auto asked = request();
    asked.given = &kept;
    asked.sampling.majority = majority;
    const auto mask = synthesizer_->sample(asked);
    EXPECT_TRUE(mask.slice(0, 12).equal(case_->mask.slice(0, 12)));
    EXPECT_FALSE(mask.slice(0, 0, 12).equal(case_->mask.slice(0, 0, 12)));
  }
}

TEST_F(MaskSamplerTest, GivenTumorsAnswerThePrompt) {
  const GivenLabels kept{case_->mask, torch::ones_like(case_->mask, at::kBool), {}};
  auto asked = request();
  asked.given = &kept;
  asked.prompt.tumors = {liver_tumor(20)};
  EXPECT_TRUE(synthesizer_->sample(asked).equal(case_->mask));
}

TEST_F(MaskSamplerTest, TumorsAreGrownToTheirSizeOnlyInTheMajorityStep) {
  auto asked = request();
  asked.prompt.tumors = {liver_tumor(30)};
  const Volume mask{synthesizer_->sample(asked).unsqueeze(0), asked.geometry};
  const auto pieces = find_components(mask, vocabulary_.tumor());
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_NEAR(pieces[0].diameter_mm, 30, 1);
  asked.sampling.majority = false;
  EXPECT_NE(voxels(synthesizer_->sample(asked), vocabulary_.tumor()), pieces[0].voxels);
}

TEST_F(MaskSamplerTest, VotesKeepWhatIsGivenAndWhatIsPlanned) {
  const GivenLabels kept = given("liver");
  auto asked = request();
  asked.given = &kept;
  asked.sampling.votes = 2;
  TumorRequest elsewhere = liver_tumor(30);
  elsewhere.organ = TumorOrgan::kLung;
  elsewhere.position = TumorPosition::kLungLeftUpper;
  asked.prompt.tumors = {elsewhere};
  int64_t last = 0;
  const auto mask = synthesizer_->sample(asked, [&](int64_t done, int64_t total) {
    last = done;
    EXPECT_EQ(total, 4 + 2 * 2) << "two rounds";
  });
  EXPECT_EQ(last, 8);
  EXPECT_TRUE(voxels_of(mask, vocabulary_.id("liver")).equal(kept.fixed));
  asked.sampling.votes = 0;
  EXPECT_FALSE(mask.equal(synthesizer_->sample(asked)));
  asked.sampling.votes = 2;
  asked.prompt.tumors = std::vector<TumorRequest>{};
  EXPECT_EQ(voxels(synthesizer_->sample(asked), vocabulary_.tumor()), 0);
}

TEST_F(MaskSamplerTest, CallsTheNetworkAtTheGivenTimes) {
  auto asked = request();
  asked.sampling.times = {1.0, 0.5, 0.2};
  int64_t calls = 0;
  synthesizer_->sample(asked, [&](int64_t, int64_t total) {
    ++calls;
    EXPECT_EQ(total, 3);
  });
  EXPECT_EQ(calls, 3);
  asked.sampling.times = {1.0, 0.5, 0.6};
  EXPECT_THAT([&] { synthesizer_->sample(asked); }, throws_usage(::testing::HasSubstr("0.6")));
  asked.sampling.times = {0.7, 0.5};
  EXPECT_THAT([&] { synthesizer_->sample(asked); }, throws_usage(::testing::HasSubstr("0.7")));
}

}  // namespace
}  // namespace guidegen
