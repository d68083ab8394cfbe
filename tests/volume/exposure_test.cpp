#include "guidegen/volume/exposure.hpp"

#include <gmock/gmock.h>

#include "guidegen/core/error.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;
using volume_testing::message_of;

/// Every integer and half-integer HU of the range, [1,1,1,1,N].
at::Tensor all_hu() { return at::arange(-2048, 6143, at::kFloat).div(2).view({1, 1, 1, 1, -1}); }

at::Tensor hu_of(std::vector<float> values) {
  return at::tensor(values, at::kFloat).view({1, 1, 1, 1, -1});
}

TEST(Exposure, ExposeThenFuseReturnsEveryHuWithinHalf) {
  const at::Tensor hu = all_hu();
  const auto worst = [&](const std::vector<Exposure>& exposures) {
    return (fuse(expose(hu, exposures), exposures) - hu).abs().max().item<double>();
  };
  EXPECT_LE(worst(default_exposures()), 0.01);
  EXPECT_LE(worst({{"full", 1024, 4096}}), 0.5);
  EXPECT_LE(worst({{"brain", 40, 80}, {"full", 1024, 4096}}), 0.5);
}

TEST(Exposure, WindowsTooNarrowForTheRangeAreRefused) {
  for (const char* text : {R"([{"name":"narrow","center":40,"width":80}])",
                           R"([{"name":"tiny","center":0,"width":1}])",
                           R"([{"name":"a","center":-2000,"width":10}])"}) {
    EXPECT_THAT(message_of([&] { exposures_from_json(Json::parse(text), "m.json"); }),
                HasSubstr("add a wider window"));
  }
}

TEST(Exposure, LearnedWeightsCannotSpoilAnUntouchedVolume) {
  const auto exposures = default_exposures();
  const at::Tensor hu = all_hu();
  const at::Tensor weights = at::linspace(-3, 3, 4).view({1, 4, 1, 1, 1}).expand({1, 4, 1, 1, 1});
  const at::Tensor back = fuse(expose(hu, exposures), exposures, weights);
  EXPECT_LE((back - hu).abs().max().item<double>(), 0.5);
}

TEST(Exposure, CurvesRiseStrictlyInsideTheUnitInterval) {
  const auto exposures = default_exposures();
  const at::Tensor y = expose(all_hu(), exposures);
  EXPECT_TRUE((y.diff(1, -1) > 0).all().item<bool>());
  EXPECT_LT(y.abs().max().item<double>(), 1.0);
}

TEST(Exposure, WindowEdgesAndCenterLandWhereDocumented) {
  const std::vector<Exposure> soft{{"soft_tissue", 40, 400}};
  const at::Tensor y = expose(hu_of({-160, 40, 240}), soft).flatten();
  EXPECT_NEAR(y[0].item<double>(), -std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(y[1].item<double>(), 0, 1e-6);
  EXPECT_NEAR(y[2].item<double>(), std::sqrt(0.5), 1e-6);
}

TEST(Exposure, SlopeIsTheDerivativeOfTheCurve) {
  const auto exposures = default_exposures();
  for (const float value : {-1000.0F, -600.0F, 0.0F, 55.0F, 700.0F, 2900.0F}) {
    at::Tensor hu = hu_of({value}).requires_grad_();
    const at::Tensor y = expose(hu, exposures);
    const at::Tensor slope = exposure_slope(y, exposures);
    for (int64_t k = 0; k < y.size(1); ++k) {
      hu.mutable_grad() = at::Tensor();
      y.select(1, k).sum().backward({}, /*retain_graph=*/true);
      const double expected = hu.grad().item<double>();
      EXPECT_NEAR(slope.select(1, k).item<double>(), expected, 1e-3 * expected)
          << value << " " << k;
    }
  }
}

TEST(Exposure, EveryChannelInvertsAlone) {
  const auto exposures = default_exposures();
  const at::Tensor hu = hu_of({-1000, -300, 0, 40, 60, 300, 1200});
  const at::Tensor back = unexpose(expose(hu, exposures), exposures);
  EXPECT_LE((back - hu).abs().max().item<double>(), 0.1);
}

TEST(Exposure, OutOfRangeInputsStayFinite) {
  const auto exposures = default_exposures();
  const at::Tensor clamped = fuse(expose(hu_of({-5000, 9000}), exposures), exposures).flatten();
  EXPECT_NEAR(clamped[0].item<double>(), -1024, 0.5);
  EXPECT_NEAR(clamped[1].item<double>(), 3071, 0.5);
  at::Tensor wild = at::tensor({-1.0F, 1.0F, -7.0F, 7.0F, 0.0F}).view({1, 1, 1, 1, 5});
  wild = wild.expand({1, 4, 1, 1, 5}).clone().requires_grad_();
  const at::Tensor hu = fuse(wild, exposures);
  EXPECT_TRUE(((hu >= -1024.5) & (hu <= 3071.5)).all().item<bool>());
  hu.sum().backward();
  EXPECT_TRUE(at::isfinite(wild.grad()).all().item<bool>());
}

TEST(Exposure, FusionFollowsTheChannelThatResolvesBest) {
  const auto exposures = default_exposures();
  at::Tensor y = expose(hu_of({40}), exposures);
  // The same error in every channel costs few HU, since the soft-tissue window decides at 40 HU.
  const double hu = fuse(y + 0.02, exposures).item<double>();
  EXPECT_NEAR(hu, 40 + 0.02 * 200, 1.5);
}

TEST(Exposure, JsonRoundTripsAndRefusesNonsense) {
  const auto exposures = default_exposures();
  const Json json = to_json(exposures);
  EXPECT_EQ(to_json(exposures_from_json(json, "m.json")), json);
  const auto refusal = [](const char* text) {
    return message_of([&] { exposures_from_json(Json::parse(text), "m.json"); });
  };
  EXPECT_THAT(refusal("[]"), HasSubstr("m.json: exposures: expected an array"));
  EXPECT_THAT(refusal(R"([{"name":"a","center":0,"width":0}])"), HasSubstr("width"));
  EXPECT_THAT(refusal(R"([{"name":"a","center":0,"width":5,"gamma":1}])"), HasSubstr("gamma"));
  EXPECT_THAT(refusal(R"([{"name":"a","center":0,"width":5},{"name":"a","center":1,"width":5}])"),
              HasSubstr("exposures[1].name"));
}

TEST(Exposure, WrongShapesAreRefused) {
  const auto exposures = default_exposures();
  EXPECT_THAT(message_of([&] {
                expose(at::zeros({1, 2, 3, 3, 3}), exposures);
              }),
              HasSubstr("[B,1,D,H,W]"));
  EXPECT_THAT(message_of([&] {
                fuse(at::zeros({1, 3, 3, 3, 3}), exposures);
              }),
              HasSubstr("[B,4,D,H,W]"));
}

}  // namespace
}  // namespace guidegen
