#include "guidegen/evaluate/anatomy.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error_matchers.hpp"
#include "guidegen/data/phantom.hpp"

namespace guidegen {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class AnatomyTest : public ::testing::Test {
 protected:
  AnatomyTest() : torso_(Vocabulary::load("torso")) {}

  /// A mask of 10 mm voxels with nothing in it.
  Volume empty() const {
    return {at::zeros({1, 20, 20, 20}, at::kByte), centered_geometry({20, 20, 20}, {10, 10, 10})};
  }

  void put(Volume& mask, const std::string& label, std::array<int64_t, 3> corner,
           std::array<int64_t, 3> size) const {
    mask.data[0]
        .slice(0, corner[2], corner[2] + size[2])
        .slice(1, corner[1], corner[1] + size[1])
        .slice(2, corner[0], corner[0] + size[0])
        .fill_(torso_.id(label));
  }

  /// Liver to the right of the spleen; sizes vary with `variant`.
  MaskMeasure patient(int64_t variant) const {
    Volume mask = empty();
    put(mask, "liver", {11, 8, 8}, {8, 8, 10 + variant % 5});
    put(mask, "spleen", {1, 8, 8}, {4, 4 + variant % 4, 4});
    return measure_anatomy(mask, torso_);
  }

  std::vector<MaskMeasure> patients(int64_t count) const {
    std::vector<MaskMeasure> masks;
    for (int64_t i = 0; i < count; ++i) masks.push_back(patient(i));
    return masks;
  }

  static const OrganAnatomy& organ(const AnatomyReport& report, const std::string& label) {
    for (const OrganAnatomy& entry : report.organs) {
      if (entry.label == label) return entry;
    }
    throw std::runtime_error("no organ " + label);
  }

  static std::vector<std::string> failures(const AnatomyReport& report) {
    std::vector<std::string> names;
    for (const OrganAnatomy& entry : report.organs) {
      for (const AnatomyCheck& check : entry.checks) {
        if (!check.passed()) names.push_back(entry.label + " " + check.name);
      }
    }
    for (const OrderAnatomy& entry : report.order) {
      if (entry.holds.total > 0 && !entry.check.passed()) {
        names.push_back(entry.first + " " + entry.relation + " " + entry.second);
      }
    }
    return names;
  }

  Vocabulary torso_;
};

TEST_F(AnatomyTest, MeasuresVolumePiecesSurfaceAndPlace) {
  Volume mask = empty();
  mask.geometry.spacing = {10, 10, 5};
  put(mask, "liver", {2, 3, 4}, {4, 4, 4});
  put(mask, "liver", {10, 10, 10}, {1, 1, 16 - 10});
  put(mask, "body", {0, 0, 0}, {1, 1, 1});
  put(mask, "tumor", {0, 0, 1}, {1, 1, 1});
  const MaskMeasure measure = measure_anatomy(mask, torso_);
  ASSERT_EQ(measure.organs.size(), 1U);
  const OrganMeasure& liver = measure.organs.at("liver");
  EXPECT_EQ(liver.voxels, 70);
  EXPECT_DOUBLE_EQ(liver.volume_ml, 35);
  EXPECT_DOUBLE_EQ(liver.largest_share, 64.0 / 70);
  const double area = 2 * (40 * 40 + 2 * 40 * 20) + 2 * 10 * 10 + 4 * 10 * 30;
  EXPECT_NEAR(liver.surface_ratio, area / std::cbrt(36 * M_PI * 35000.0 * 35000.0), 1e-12);
  const double x = (64 * 3.5 + 6 * 10) / 70;
  EXPECT_NEAR(liver.centroid_mm[0], mask.geometry.to_world({x, 0, 0})[0], 1e-9);
}

TEST_F(AnatomyTest, SurfaceRatioOfABallIsOneAndAHalf) {
  Volume mask{at::zeros({1, 60, 60, 60}, at::kByte), centered_geometry({60, 60, 60}, {1, 1, 1})};
  const at::Tensor r = at::arange(60).to(at::kFloat).sub(29.5).square();
  mask.data[0].masked_fill_((r.view({-1, 1, 1}) + r.view({-1, 1}) + r) < 25 * 25,
                            torso_.id("liver"));
  EXPECT_NEAR(measure_anatomy(mask, torso_).organs.at("liver").surface_ratio, 1.5, 0.03);
}

TEST_F(AnatomyTest, WassersteinIsTheMeanDistanceOfSortedPairs) {
  EXPECT_DOUBLE_EQ(wasserstein1({3, 1, 2}, {2, 4, 3}), 1);
  EXPECT_DOUBLE_EQ(wasserstein1({0, 0, 0, 1}, {0, 1}), 0.25);
  EXPECT_DOUBLE_EQ(wasserstein1({5}, {5, 5}), 0);
  EXPECT_TRUE(std::isnan(wasserstein1({}, {1})));
}

TEST_F(AnatomyTest, DistributionInterpolatesItsQuantiles) {
  const Distribution values = distribution_of({5, 1, 2, 4, 3});
  EXPECT_DOUBLE_EQ(values.median, 3);
  EXPECT_DOUBLE_EQ(values.low, 1.2);
  EXPECT_DOUBLE_EQ(values.high, 4.8);
  EXPECT_DOUBLE_EQ(values.deviation, std::sqrt(2.5));
  EXPECT_TRUE(std::isnan(distribution_of({}).median));
}

TEST_F(AnatomyTest, LikeItsReferenceAllPass) {
  const AnatomyReport report = judge_anatomy(patients(20), patients(40), torso_);
  EXPECT_THAT(failures(report), ::testing::IsEmpty());
  EXPECT_EQ(report.organ_checks().share(), 1);
  EXPECT_GE(organ(report, "liver").checks.size(), 5U);
  EXPECT_DOUBLE_EQ(*organ(report, "liver").median_ratio, 1);
}

TEST_F(AnatomyTest, NoticesWhatIsMissing) {
  std::vector<MaskMeasure> masks = patients(20);
  for (size_t i = 0; i < 12; ++i) masks[i].organs.erase("spleen");
  const AnatomyReport report = judge_anatomy(masks, patients(40), torso_);
  EXPECT_THAT(failures(report), ::testing::ElementsAre("spleen presence"));
  EXPECT_EQ(organ(report, "spleen").present.hits, 8);
  for (MaskMeasure& mask : masks) mask.organs.clear();
  EXPECT_THAT(failures(judge_anatomy(masks, patients(40), torso_)),
              ::testing::ElementsAre("spleen presence", "liver presence"));
}

TEST_F(AnatomyTest, NoticesWrongVolumes) {
  std::vector<MaskMeasure> masks = patients(20);
  for (MaskMeasure& mask : masks) mask.organs["liver"].volume_ml *= 1.9;
  EXPECT_THAT(failures(judge_anatomy(masks, patients(40), torso_)),
              ::testing::ElementsAre("liver volume", "liver volume_spread"));
  // The right median, but all patients alike or far apart.
  masks = patients(20);
  const double median = organ(judge_anatomy(masks, {}, torso_), "liver").volume_ml.median;
  for (size_t i = 0; i < masks.size(); ++i) {
    masks[i].organs["liver"].volume_ml = median * (i % 2 == 0 ? 0.5 : 1.5);
  }
  EXPECT_THAT(failures(judge_anatomy(masks, patients(40), torso_)),
              Contains("liver volume_spread"));
}

TEST_F(AnatomyTest, NoticesScatteredAndRoughOrgans) {
  std::vector<MaskMeasure> masks;
  for (int64_t i = 0; i < 20; ++i) {
    Volume mask = empty();
    put(mask, "liver", {11, 8, 8}, {8, 8, 10 + i % 5});
    put(mask, "spleen", {1, 8, 8}, {4, 4 + i % 4, 4});
    // Every other voxel of a slab is gone, and a part of the organ lies far away.
    for (int64_t x = 11; x < 19; x += 2) {
      for (int64_t y = 8; y < 16; y += 2) put(mask, "background", {x, y, 8}, {1, 1, 7});
    }
    put(mask, "liver", {11, 1, 1}, {6, 6, 4});
    masks.push_back(measure_anatomy(mask, torso_));
  }
  const auto failed = failures(judge_anatomy(masks, patients(40), torso_));
  EXPECT_THAT(failed, Contains("liver connected"));
  EXPECT_THAT(failed, Contains("liver surface"));
}

TEST_F(AnatomyTest, NoticesPatientsThatAreMirrored) {
  std::vector<MaskMeasure> masks = patients(20);
  for (MaskMeasure& mask : masks) {
    for (auto& [label, measure] : mask.organs) measure.centroid_mm[0] *= -1;
  }
  EXPECT_THAT(failures(judge_anatomy(masks, patients(40), torso_)),
              ::testing::ElementsAre("liver right of spleen"));
}

TEST_F(AnatomyTest, WithoutAReferenceJudgesByPublishedVolumes) {
  std::vector<MaskMeasure> masks = patients(10);  // livers of 640 to 896 ml, spleens of 64 to 112
  EXPECT_THAT(failures(judge_anatomy(masks, {}, torso_)), Contains("liver volume"));
  for (MaskMeasure& mask : masks) {
    mask.organs["liver"].volume_ml = 1500;
    mask.organs["spleen"].volume_ml = 200;
  }
  const AnatomyReport report = judge_anatomy(masks, {}, torso_);
  EXPECT_THAT(failures(report), ::testing::Not(Contains("liver volume")));
  EXPECT_THAT(failures(report), Contains("heart presence"));
  // Of 1 ml a voxel, an adrenal gland may vanish by rounding.
  EXPECT_THAT(failures(report), ::testing::Not(Contains("adrenal_left presence")));
}

TEST_F(AnatomyTest, PhantomsAreLikePhantoms) {
  const auto draw = [&](uint64_t seed) {
    std::vector<MaskMeasure> masks;
    for (int i = 0; i < 20; ++i) {
      PhantomRequest request;
      request.seed = seed;
      request.case_id = "phantom-" + std::to_string(i);
      request.geometry = centered_geometry({44, 44, 54}, {9, 9, 9});
      masks.push_back(measure_anatomy(make_phantom(request, torso_).mask, torso_));
    }
    return masks;
  };
  const auto masks = draw(1);
  EXPECT_THAT(failures(judge_anatomy(masks, draw(2), torso_)), ::testing::IsEmpty());
  const AnatomyReport report = judge_anatomy(masks, {}, torso_);
  EXPECT_GE(report.order_checks().total, 25);
  EXPECT_EQ(report.order_checks().hits, report.order_checks().total);
}

TEST_F(AnatomyTest, ReportsForPeopleAndPrograms) {
  std::vector<MaskMeasure> masks = patients(20);
  for (MaskMeasure& mask : masks) mask.organs["liver"].volume_ml *= 1.9;
  const AnatomyReport report = judge_anatomy(masks, patients(40), torso_);
  const std::string table = to_table(report);
  EXPECT_THAT(table, HasSubstr("20 masks, against 40 of the reference"));
  EXPECT_THAT(table, HasSubstr("failed: liver: volume 1.90, expected"));
  EXPECT_THAT(table, HasSubstr("organ checks passed: "));
  const Json json = to_json(report);
  EXPECT_EQ(json["masks"], 20);
  EXPECT_EQ(json["organs"]["liver"]["checks"][1]["passed"], false);
  EXPECT_TRUE(json["organs"]["heart"]["volume_ml"]["median"].is_null());
  EXPECT_NEAR(json["organs"]["liver"]["median_ratio"].get<double>(), 1.9, 1e-9);
}

TEST_F(AnatomyTest, RefusesWhatItCannotJudge) {
  EXPECT_THAT([&] { judge_anatomy({}, {}, torso_); }, throws_usage(HasSubstr("no mask to judge")));
  EXPECT_THAT([&] { judge_anatomy(patients(3), patients(1), torso_); },
              throws_usage(HasSubstr("two or more")));
}

TEST_F(AnatomyTest, RulesAreStrictJson) {
  const AnatomyRules rules = AnatomyRules::shipped();
  for (const std::string& label : rules.one_piece) EXPECT_TRUE(torso_.find(label)) << label;
  for (const AnatomyRules::Order& rule : rules.order) {
    for (const std::string& name : {rule.first, rule.second}) {
      EXPECT_TRUE(torso_.find(name) || torso_.groups().contains(name)) << name;
    }
  }
  const Json wrong = {{"format", "guidegen-anatomy-rules"},
                      {"version", 1},
                      {"one_piece", Json::array()},
                      {"order", {{{"first", "liver"}, {"is", "over"}, {"second", "colon"}}}}};
  EXPECT_THAT([&] { AnatomyRules::from_json(wrong, "rules.json"); },
              throws_usage(HasSubstr("rules.json: order[0].is")));
}

}  // namespace
}  // namespace guidegen
