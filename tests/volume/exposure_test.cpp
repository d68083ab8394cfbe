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

TEST(Exposure, OneCompressiveCurveKeepsTheWholeRange) {
  const std::vector<Exposure> one{{"asinh", 40, 300, ToneCurve::kAsinh}};
  const at::Tensor hu = all_hu();
  const at::Tensor y = expose(hu, one);
  EXPECT_LE((fuse(y, one) - hu).abs().max().item<double>(), 0.01);
  EXPECT_NEAR(y.max().item<double>(), 1, 1e-6);  // the end that is farther from the center
  EXPECT_EQ(kept_range(one), std::make_pair(-1024.0, 3071.0));
  // asinh(u) / asinh(U) with u = 1 (HU 190) and U = (3071 - 40) / 150.
  EXPECT_NEAR(expose(hu_of({190}), one).item<double>(), std::asinh(1.0) / std::asinh(3031.0 / 150),
              1e-6);
}

TEST(Exposure, ALinearWindowCutsOff) {
  const std::vector<Exposure> one{{"clip", 0, 2000, ToneCurve::kLinear}};
  const at::Tensor back = fuse(expose(hu_of({-1024, -1000, -250, 0, 1000, 3000}), one), one);
  EXPECT_TRUE(at::allclose(back, hu_of({-1000, -1000, -250, 0, 1000, 1000}), 0, 1e-3));
  EXPECT_EQ(kept_range(one), std::make_pair(-1000.0, 1000.0));
}

TEST(Exposure, ALinearWindowHasNoSayWhereItIsCutOff) {
  const std::vector<Exposure> both{{"clip", 0, 2000, ToneCurve::kLinear}, {"full", 1024, 4096}};
  const at::Tensor hu = all_hu();
  EXPECT_LE((fuse(expose(hu, both), both) - hu).abs().max().item<double>(), 0.5);
}

TEST(Exposure, CurvesOfSeveralKindsMixInAnyOrder) {
  const std::vector<Exposure> mixed{{"a", 40, 300, ToneCurve::kAsinh},
                                    {"b", 40, 400},
                                    {"c", 1023.5, 4095, ToneCurve::kLinear},
                                    {"d", -600, 1500}};
  const at::Tensor hu = all_hu();
  const at::Tensor together = expose(hu, mixed);
  for (size_t k = 0; k < mixed.size(); ++k) {
    EXPECT_TRUE(
        together.select(1, static_cast<int64_t>(k)).equal(expose(hu, {mixed[k]}).select(1, 0)));
  }
  EXPECT_LE((fuse(together, mixed) - hu).abs().max().item<double>(), 0.5);
  const auto read = exposures_from_json(to_json(mixed), "m.json");
  EXPECT_EQ(to_json(read), to_json(mixed));
}

TEST(Exposure, AnUnknownCurveIsRefused) {
  const auto json = Json::parse(R"([{"name":"a","center":0,"width":4096,"curve":"log"}])");
  EXPECT_THAT(
      message_of([&] { exposures_from_json(json, "m.json"); }),
      ::testing::AllOf(HasSubstr("exposures[0].curve"), HasSubstr("shoulder, linear, asinh")));
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
  auto exposures = default_exposures();
  exposures.push_back({"asinh", 40, 300, ToneCurve::kAsinh});
  exposures.push_back({"linear", 1023.5, 4095, ToneCurve::kLinear});
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
