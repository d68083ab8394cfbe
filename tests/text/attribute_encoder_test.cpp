#include "guidegen/text/attribute_encoder.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace guidegen {
namespace {

Prompt kidney_prompt() {
  Prompt prompt;
  prompt.sex = Sex::kMale;
  prompt.age = 62;
  TumorRequest request;
  request.organ = TumorOrgan::kKidney;
  request.position = TumorPosition::kKidneyRight;
  request.size_mm = 30;
  prompt.tumors = {request};
  return prompt;
}

TEST(AttributeEncoder, ShapesFollowTheLongestPrompt) {
  AttributeEncoder encoder(16);
  const auto features = encoder->forward({kidney_prompt(), std::nullopt});
  EXPECT_EQ(features.tokens.sizes(), at::IntArrayRef({2, 6, 16}));  // five fields, one request
  EXPECT_EQ(features.pooled.sizes(), at::IntArrayRef({2, 16}));
  EXPECT_EQ(features.present.sum(1)[0].item<int>(), 6);
  EXPECT_EQ(features.present.sum(1)[1].item<int>(), 1);
}

TEST(AttributeEncoder, PaddingDoesNotChangeAPrompt) {
  torch::manual_seed(1);
  AttributeEncoder encoder(16);
  Prompt none;
  none.tumors = std::vector<TumorRequest>{};
  const auto alone = encoder->forward({none});
  const auto padded = encoder->forward({none, kidney_prompt()});
  EXPECT_TRUE(torch::allclose(alone.pooled[0], padded.pooled[0], 1e-5, 1e-6));
}

TEST(AttributeEncoder, EveryFieldMatters) {
  torch::manual_seed(1);
  AttributeEncoder encoder(16);
  const auto base = encoder->forward({kidney_prompt()}).pooled;
  const auto differs = [&](const Prompt& prompt) {
    return !torch::allclose(base, encoder->forward({prompt}).pooled, 1e-4, 1e-5);
  };
  auto p = kidney_prompt();
  p.sex = Sex::kFemale;
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.age = 40;
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.race = Race::kBlack;
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.contrast = ContrastPhase::kArterial;
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.tumors->front().position = TumorPosition::kKidneyLeft;
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.tumors->front().count = 2;
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.tumors->front().size_mm = 60;
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.tumors->front().stage = "T3";
  EXPECT_TRUE(differs(p));
  p = kidney_prompt();
  p.tumors.reset();
  EXPECT_TRUE(differs(p));
}

TEST(AttributeEncoder, ReadsStages) {
  EXPECT_EQ(stage_number("T1b"), 1);
  EXPECT_EQ(stage_number("pT3"), 3);
  EXPECT_EQ(stage_number("stage III"), 3);
  EXPECT_EQ(stage_number("IVA"), 4);
  EXPECT_EQ(stage_number("unknown"), 0);
  EXPECT_EQ(stage_number(std::nullopt), 0);
}

}  // namespace
}  // namespace guidegen
