#include "guidegen/stages/segmenter.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"
#include "guidegen/stages/segment_ct.hpp"
#include "guidegen/volume/labels.hpp"
#include "stages/toy_cases.hpp"

namespace guidegen {
namespace {

SegmenterConfig tiny_segmenter() {
  SegmenterConfig config;
  config.channels = {8, 16};
  config.head_width = 8;
  config.crop = 16;
  config.window = 16;
  return config;
}

class SegmenterTest : public ::testing::Test {
 protected:
  SegmenterTest() { torch::manual_seed(3); }
  Segmenter make(const SegmenterConfig& config) const {
    return Segmenter(config, vocabulary_.size(), vocabulary_.tumor());
  }
  TrainingBatch batch() const {
    return {toy::toy_case({24, 20, 18}, vocabulary_, "a"),
            toy::toy_case({24, 20, 18}, vocabulary_, "b")};
  }
  Volume random_ct(const std::array<int64_t, 3>& size) const {
    const auto dhw = to_dhw(size);
    return {torch::randn({1, dhw[0], dhw[1], dhw[2]}) * 300, centered_geometry(size, {6, 6, 6})};
  }

  Vocabulary vocabulary_ = Vocabulary::load("torso");
};

TEST_F(SegmenterTest, ConfigSurvivesJsonAndRefusesWhatCannotWork) {
  const auto read = [](const std::string& text) {
    const Json document = parse_json(text, "test");
    return SegmenterConfig::from_json(JsonObject(document, "test", "network"));
  };
  const Json document = tiny_segmenter().to_json();
  EXPECT_EQ(SegmenterConfig::from_json(JsonObject(document, "test")).to_json(), document);
  EXPECT_THAT([&] { read(R"({"crop": 40, "channels": [8, 8, 8, 8]})"); },
              throws_usage(::testing::HasSubstr("network.crop: 40 is no multiple of 16")));
  EXPECT_THAT([&] { read(R"({"chanels": [8]})"); }, throws_usage(::testing::HasSubstr("channels")));
  EXPECT_THAT([&] { read(R"({"augmentation": {"noise_hu": -1}})"); },
              throws_usage(::testing::HasSubstr("network.augmentation.noise_hu")));
}

TEST_F(SegmenterTest, CropsDependOnSeedStepAndPlaceAlone) {
  auto segmenter = make(tiny_segmenter());
  const auto both = segmenter->prepare(batch(), {7, 3, 0});
  const auto second = segmenter->prepare({batch()[1]}, {7, 3, 1});
  EXPECT_TRUE(both.tensor("hu")[1].equal(second.tensor("hu")[0]));
  EXPECT_TRUE(both.tensor("labels")[1].equal(second.tensor("labels")[0]));
  const auto other = segmenter->prepare(batch(), {7, 4, 0});
  EXPECT_FALSE(both.tensor("hu").equal(other.tensor("hu")));
}

TEST_F(SegmenterTest, CropsFollowTheMaskWithoutAugmentation) {
  auto config = tiny_segmenter();
  config.augmentation = {0, 0, 0, 0, 0};
  const auto inputs = make(config)->prepare(batch(), {1, 0, 0});
  // The toy patient: air -1000, body 40, tumor 400; what is padded is -1024.
  const auto hu = inputs.tensor("hu").squeeze(1);
  const auto labels = inputs.tensor("labels");
  EXPECT_TRUE(hu.masked_select(labels == 0).le(-1000).all().item<bool>());
  EXPECT_TRUE(hu.masked_select(labels == vocabulary_.tumor()).eq(400).all().item<bool>());
}

TEST_F(SegmenterTest, BalancedCropsHoldTheTumor) {
  auto config = tiny_segmenter();
  config.balanced_crops = 1;
  config.tumor_crops = 1;
  const auto large = toy::toy_case({64, 64, 64}, vocabulary_);
  auto rare = std::make_shared<TrainingCase>(*large);
  rare->mask = rare->mask.clone();
  rare->mask.masked_fill_(rare->mask == vocabulary_.tumor(), vocabulary_.body());
  rare->mask[60][60][60] = vocabulary_.tumor();  // one voxel of 64^3
  auto segmenter = make(config);
  for (int64_t step = 0; step < 8; ++step) {
    const auto labels = segmenter->prepare({rare}, {1, step, 0}).tensor("labels");
    EXPECT_EQ((labels == vocabulary_.tumor()).sum().item<int64_t>(), 1) << step;
  }
}

TEST_F(SegmenterTest, CasesSmallerThanACropArePaddedWithAir) {
  auto config = tiny_segmenter();
  config.crop = 32;
  config.augmentation = {0, 0, 0, 0, 0};
  const auto inputs = make(config)->prepare({toy::toy_case({16, 16, 24}, vocabulary_)}, {1, 0, 0});
  EXPECT_EQ(inputs.tensor("hu").sizes(), (std::vector<int64_t>{1, 1, 32, 32, 32}));
  EXPECT_TRUE(inputs.tensor("hu").slice(4, 16).eq(-1024).all().item<bool>());
  EXPECT_EQ(inputs.tensor("labels").slice(3, 16).sum().item<int64_t>(), 0);
}

TEST_F(SegmenterTest, LossReachesAllParameters) {
  auto segmenter = make(tiny_segmenter());
  toy::randomize(*segmenter);
  auto terms = segmenter->loss(segmenter->prepare(batch(), {1, 0, 0}));
  terms.total.backward();
  EXPECT_THAT(toy::parameters_without_gradient(*segmenter), ::testing::IsEmpty());
}

TEST_F(SegmenterTest, DiceOfThePerfectAnswerIsNoLoss) {
  auto config = tiny_segmenter();
  auto segmenter = make(config);
  const auto inputs = segmenter->prepare(batch(), {1, 0, 0});
  const auto terms = segmenter->loss(inputs);
  // By hand, from the same logits.
  const auto labels = inputs.tensor("labels");
  const auto p =
      torch::softmax(segmenter->forward(inputs.tensor("hu"), inputs.tensor("log_spacing")), 1);
  double sum = 0;
  int present = 0;
  for (int64_t k = 1; k < vocabulary_.size(); ++k) {
    const auto wanted = (labels == k).to(at::kFloat);
    if (wanted.sum().item<float>() == 0) continue;
    const auto common = (p.select(1, k) * wanted).sum().item<double>();
    const auto total = (p.select(1, k).sum() + wanted.sum()).item<double>();
    sum += 1 - (2 * common + 1) / (total + 1);
    ++present;
  }
  ASSERT_GT(present, 1);
  EXPECT_EQ(terms.parts[1].first, "dice_loss");
  EXPECT_NEAR(terms.parts[1].second.item<double>(), sum / present, 1e-5);
}

TEST_F(SegmenterTest, TumorsWeighMoreInTheCrossEntropy) {
  auto config = tiny_segmenter();
  torch::manual_seed(3);
  auto plain = make(config);
  config.tumor_weight = 7;
  torch::manual_seed(3);
  auto weighted = make(config);
  auto inputs = plain->prepare(batch(), {1, 0, 0});
  const auto cross_entropy = [&inputs](Segmenter& segmenter) {
    return segmenter->loss(inputs).parts[0].second.item<double>();
  };
  auto& labels = inputs.tensors["labels"];
  labels = torch::full_like(labels, vocabulary_.tumor());
  EXPECT_NEAR(cross_entropy(weighted), 7 * cross_entropy(plain), 1e-4);
  labels = torch::full_like(labels, vocabulary_.body());
  EXPECT_DOUBLE_EQ(cross_entropy(weighted), cross_entropy(plain));
}

TEST_F(SegmenterTest, OneWindowSeesTheWholeVolume) {
  auto config = tiny_segmenter();
  config.window = 32;
  auto segmenter = make(config);
  toy::randomize(*segmenter);
  const torch::NoGradGuard no_grad;
  const Volume ct = random_ct({24, 20, 16});
  const Volume mask = segment_ct(segmenter, ct);
  const auto whole =
      segmenter->forward(ct.data.unsqueeze(0).clamp(kMinHu, kMaxHu), log_spacing_of(ct.geometry));
  EXPECT_TRUE(mask.data.to(at::kLong)[0].equal(whole.argmax(1)[0]));
  EXPECT_EQ(mask.data.scalar_type(), at::kByte);
  // Also where it has to be padded: the first voxels' answer is that of the padded volume.
  const Volume odd = random_ct({21, 19, 17});
  EXPECT_EQ(segment_ct(segmenter, odd).data.sizes(), odd.data.sizes());
}

TEST_F(SegmenterTest, WindowsAreBlendedByABell) {
  auto segmenter = make(tiny_segmenter());
  toy::randomize(*segmenter);
  const torch::NoGradGuard no_grad;
  const Volume ct = random_ct({16, 24, 40});
  int64_t calls = 0;
  const Volume mask =
      segment_ct(segmenter, ct, {16, 0.5}, [&](int64_t done, int64_t) { calls = done; });
  // Windows of 16 voxels start at 0, 8 along y and 0, 8, 16, 24 along z.
  EXPECT_EQ(calls, 8);
  auto sums = torch::zeros({vocabulary_.size(), 40, 24, 16});
  for (const int64_t z : {0, 8, 16, 24}) {
    for (const int64_t y : {0, 8}) {
      const auto window = ct.data.slice(1, z, z + 16).slice(2, y, y + 16).clamp(kMinHu, kMaxHu);
      const auto p = torch::softmax(
          segmenter->forward(window.unsqueeze(0), log_spacing_of(ct.geometry)), 1)[0];
      for (int64_t k = 0; k < 16; ++k) {
        for (int64_t j = 0; j < 16; ++j) {
          const double weight = std::exp(
              -0.5 * (std::pow((double(k) - 7.5) / 2, 2) + std::pow((double(j) - 7.5) / 2, 2)));
          sums.select(1, z + k).select(1, y + j) += weight * p.select(1, k).select(1, j);
        }
      }
    }
  }
  const auto agree = mask.data[0].to(at::kLong).eq(sums.argmax(0)).to(at::kDouble).mean();
  EXPECT_GT(agree.item<double>(), 0.9999);
}

TEST_F(SegmenterTest, WorksAtTheSpacingItKnows) {
  auto segmenter = make(tiny_segmenter());
  segmenter->set_trained_spacing({3, 3, 5}, {6, 6, 6});
  EXPECT_EQ(segmenter->working_spacing({3, 5, 7}), (Vec3{3, 5, 7}));
  EXPECT_EQ(segmenter->working_spacing({1.5, 2.5, 12}), (Vec3{3, 2.5, 6}));
  toy::randomize(*segmenter);
  Volume fine = random_ct({32, 32, 32});
  fine.geometry = centered_geometry({32, 32, 32}, {1.5, 1.5, 1.5});
  const Volume mask = segment_ct(segmenter, fine);
  EXPECT_TRUE(same_geometry(mask.geometry, fine.geometry));
}

TEST_F(SegmenterTest, LearnsTheToyPatient) {
  auto config = tiny_segmenter();
  config.window = 32;
  config.channels = {8, 16};
  auto segmenter = make(config);
  torch::optim::Adam optimizer(segmenter->parameters(), torch::optim::AdamOptions(1e-2));
  double first = 0, last = 0;
  for (int64_t step = 0; step < 60; ++step) {
    const auto terms = segmenter->loss(segmenter->prepare(batch(), {1, step, 0}));
    optimizer.zero_grad();
    terms.total.backward();
    optimizer.step();
    (step < 5 ? first : last) = terms.total.item<double>();
  }
  EXPECT_LT(last, 0.5 * first);
  segmenter->eval();
  const auto item = batch()[0];
  const Volume ct{item->ct.to(at::kFloat).unsqueeze(0), item->geometry};
  const auto found = segment_ct(segmenter, ct).data[0];
  for (const int64_t label : {int64_t{vocabulary_.id("liver")}, int64_t{vocabulary_.tumor()}}) {
    const auto a = voxels_of(found, label), b = voxels_of(item->mask, label);
    const auto common = 2.0 * a.logical_and(b).sum().item<double>();
    EXPECT_GT(common / (a.sum() + b.sum()).item<double>(), 0.8) << label;
  }
}

}  // namespace
}  // namespace guidegen
