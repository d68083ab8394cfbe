#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guidegen/stages/synthesizer.hpp"
#include "stages/toy_cases.hpp"
#include "stages/toy_text.hpp"

namespace guidegen {
namespace {

class SynthesizerText : public ::testing::Test {
 protected:
  SynthesizerText()
      : vocabulary_(Vocabulary::load("torso")), texts_(toy::student(), "toy"), batch_{} {
    config_.unet.channels = {8, 16};
    config_.unet.attention_from = 0;
    config_.timesteps = 50;
    config_.prompt_dropout = 0;
    config_.field_dropout = 0;
    config_.text_dropout = 0;
    config_.text_encoder_width = texts_.token_width();
    config_.sentence_width = texts_.sentence_width();
    batch_ = {toy::toy_case({16, 20, 18}, vocabulary_, "a"),
              toy::toy_case({16, 20, 18}, vocabulary_, "b")};
  }

  Synthesizer network() const {
    torch::manual_seed(3);
    Synthesizer network(config_, vocabulary_.size(), vocabulary_.tumor());
    toy::randomize(*network);
    return network;
  }

  Vocabulary vocabulary_;
  TextSource texts_;
  TrainingBatch batch_;
  SynthesizerConfig config_;
};

TEST_F(SynthesizerText, LossTeachesTheTextLayersToo) {
  auto synthesizer = network();
  const auto terms = synthesizer->loss(synthesizer->prepare(batch_, {1, 0}, &texts_));
  terms.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*synthesizer), ::testing::IsEmpty());
  std::vector<std::string> names;
  for (const auto& [name, value] : terms.parts) {
    names.push_back(name);
    EXPECT_TRUE(std::isfinite(value.item<double>())) << name;
  }
  EXPECT_THAT(names, ::testing::ElementsAre("kl", "cross_entropy", "distillation_cosine",
                                            "distillation_contrast"));
}

TEST_F(SynthesizerText, DistillationIsTheCosineToTheTextsOfCasesWithPrompts) {
  config_.prompt_dropout = 1;
  auto synthesizer = network();
  const auto inputs = synthesizer->prepare(batch_, {1, 0}, &texts_);
  EXPECT_EQ(inputs.tensor("taught").numel(), 0);
  EXPECT_FALSE(inputs.tensor("text_present").any().item<bool>()) << "no prompt, no text";
  const auto terms = synthesizer->loss(inputs);
  EXPECT_EQ(terms.parts.size(), 2U);
  terms.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*synthesizer),
              ::testing::Not(::testing::Contains("distilled.weight")))
      << "every process has to meet every parameter";
}

TEST_F(SynthesizerText, ReadsTheTextOfTheCaseOrADescription) {
  auto told = std::make_shared<TrainingCase>(*batch_[0]);
  told->prompt.text = "left kidney";
  const auto inputs = network()->prepare({told, batch_[1]}, {1, 0}, &texts_);
  const auto expected = texts_.encode({"left kidney"});
  EXPECT_TRUE(torch::allclose(inputs.tensor("sentence")[0], expected.sentence[0], 1e-4, 1e-6));
  EXPECT_EQ(inputs.tensor("text_present")[0].sum().item<int64_t>(),
            expected.present.sum().item<int64_t>());
  EXPECT_GT(inputs.tensor("text_present")[1].sum().item<int64_t>(),
            expected.present.sum().item<int64_t>());
}

TEST_F(SynthesizerText, TextIsDroppedAtTheRateAsked) {
  config_.text_dropout = 1;
  const auto inputs = network()->prepare(batch_, {1, 0}, &texts_);
  EXPECT_FALSE(inputs.tensor("text_present").any().item<bool>());
  EXPECT_EQ(inputs.tensor("taught").numel(), 2) << "what is not read is still taught";
}

TEST_F(SynthesizerText, SamplesDependOnTheText) {
  auto synthesizer = network();
  MaskRequest request;
  request.geometry = centered_geometry({18, 17, 19}, {6, 6, 6});
  request.case_id = "case";
  request.sampling.steps = 3;
  request.text = texts_.encode({"left kidney"});
  const auto left = synthesizer->sample(request);
  EXPECT_TRUE(left.equal(synthesizer->sample(request)));
  request.text = texts_.encode({"right right right right"});
  EXPECT_FALSE(left.equal(synthesizer->sample(request)));
}

TEST_F(SynthesizerText, PartsAreAbsentWhenSwitchedOff) {
  config_.text_encoder_width = 0;
  config_.sentence_width = 0;
  auto synthesizer = network();
  for (const auto& item : synthesizer->named_parameters()) {
    EXPECT_FALSE(item.key().starts_with("text.") || item.key().starts_with("distilled."));
  }
  EXPECT_EQ(synthesizer->loss(synthesizer->prepare(batch_, {1, 0}, &texts_)).parts.size(), 2U);
}

}  // namespace
}  // namespace guidegen
