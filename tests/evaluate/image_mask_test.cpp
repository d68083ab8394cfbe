#include "guidegen/evaluate/image_mask.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "evaluate/made_up_ct.hpp"
#include "guidegen/data/dataset.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;

const Vocabulary& torso() {
  static const Vocabulary vocabulary = Vocabulary::load("torso");
  return vocabulary;
}

/// A liver of 100 HU, 20 x 20 x 20 voxels of 3 mm, with a tumor of 60 HU, 4 x 4 x 4.
struct Liver {
  Liver() {
    mask.data.slice(1, 5, 25).slice(2, 5, 25).slice(3, 5, 25).fill_(torso().id("liver"));
    mask.data.slice(1, 12, 16).slice(2, 12, 16).slice(3, 12, 16).fill_(torso().tumor());
    paint("liver", 100);
    paint("tumor", 60);
  }
  void paint(const char* label, double hu) {
    ct.data.masked_fill_(mask.data == torso().id(label), hu);
  }
  CaseAppearance measured(ContrastPhase phase = ContrastPhase::kPortalVenous) const {
    Prompt prompt;
    prompt.id = "liver";
    prompt.contrast = phase;
    return measure_appearance(ct, mask, prompt, torso());
  }

  ImageGeometry grid = centered_geometry({30, 30, 30}, {3, 3, 3});
  Volume mask{at::full({1, 30, 30, 30}, torso().body(), at::kByte), grid};
  Volume ct{at::full({1, 30, 30, 30}, -100.0F), grid};
};

TEST(Appearance, OfAMadeUpLiver) {
  Liver liver;
  const auto seen = liver.measured();
  const OrganAppearance& organ = seen.organs.at("liver");
  EXPECT_EQ(organ.voxels, 20 * 20 * 20 - 64);
  EXPECT_EQ(organ.median_hu, 100);
  EXPECT_EQ(organ.deviation_hu, 0);  // borders, where HU change, are not inside
  EXPECT_EQ(organ.gradient_hu_per_mm, 0);
  // 18^3 less the tumor and the voxels that share a face with it.
  EXPECT_EQ(organ.inside_voxels, 18 * 18 * 18 - 64 - 6 * 16);
  ASSERT_EQ(seen.tumors.size(), 1U);
  EXPECT_EQ(seen.tumors[0].organ, TumorOrgan::kLiver);
  EXPECT_EQ(seen.tumors[0].inside_hu, 60);
  EXPECT_EQ(seen.tumors[0].shell_hu, 100);
  EXPECT_EQ(seen.tumors[0].contrast_hu, -40);
  EXPECT_FALSE(seen.organs.contains("spleen"));
}

TEST(Appearance, GradientOfARampAndDeviationOfStripes) {
  Liver liver;
  liver.paint("tumor", 100);
  const auto x = at::arange(30, at::kFloat);
  liver.ct.data += 6 * x;  // 2 HU/mm along x
  EXPECT_NEAR(liver.measured().organs.at("liver").gradient_hu_per_mm, 2, 1e-6);
  Liver striped;
  striped.ct.data += 10 * (x.remainder(2) * 2 - 1);
  EXPECT_NEAR(striped.measured().organs.at("liver").deviation_hu, 10, 0.2);
}

TEST(Appearance, ATumorWithoutAHostHasNoContrast) {
  Liver liver;
  liver.mask.data.masked_fill_(liver.mask.data == torso().id("liver"), torso().body());
  EXPECT_TRUE(liver.measured().tumors.empty());
  liver.mask.data[0][12][12][11] = torso().id("liver");  // a host of one voxel
  ASSERT_EQ(liver.measured().tumors.size(), 1U);
  EXPECT_TRUE(std::isnan(liver.measured().tumors[0].contrast_hu));
}

TEST(CompareMasks, TellsFoundFromMissedTumors) {
  Liver liver;
  Volume found{liver.mask.data.clone(), liver.grid};
  found.data.masked_fill_(found.data == torso().tumor(), torso().id("liver"));
  const auto missed = compare_masks(liver.mask, found, torso(), 3);
  ASSERT_EQ(missed.tumors.size(), 1U);
  EXPECT_FALSE(missed.tumors[0].detected);
  EXPECT_EQ(missed.tumors[0].dice, 0);
  EXPECT_EQ(missed.labels.at("tumor").dice, 0);
  EXPECT_EQ(missed.false_tumors, 0);

  // Six voxels of its 64 are no tenth, seven are; another piece is far away.
  found.data.slice(1, 12, 13).slice(2, 12, 13).slice(3, 12, 16).fill_(torso().tumor());
  found.data.slice(1, 12, 13).slice(2, 13, 14).slice(3, 12, 14).fill_(torso().tumor());
  EXPECT_FALSE(compare_masks(liver.mask, found, torso(), 3).tumors[0].detected);
  found.data[0][12][13][14] = torso().tumor();
  found.data.slice(1, 22, 24).slice(2, 22, 23).slice(3, 22, 23).fill_(torso().tumor());
  found.data[0][20][8][8] = torso().tumor();  // a single voxel does not count
  const auto seen = compare_masks(liver.mask, found, torso(), 3);
  EXPECT_TRUE(seen.tumors[0].detected);
  EXPECT_DOUBLE_EQ(seen.tumors[0].dice, 2.0 * 7 / (64 + 7));
  EXPECT_EQ(seen.false_tumors, 1);
  EXPECT_DOUBLE_EQ(seen.labels.at("tumor").dice, 2.0 * 7 / (64 + 10));
  EXPECT_EQ(seen.groups.count("lung"), 0U);
}

std::vector<Observation> observations(int count, double from, double step,
                                      std::optional<ContrastPhase> phase) {
  std::vector<Observation> out;
  for (int i = 0; i < count; ++i) {
    out.push_back({"case-" + std::to_string(i), phase, from + step * i});
  }
  return out;
}

TEST(Agreement, JudgesEachPhaseByItsOwnRange) {
  auto reference = observations(41, 0, 1, ContrastPhase::kNone);  // 0…40, central 95 %: 1…39
  const auto bright = observations(41, 100, 1, ContrastPhase::kArterial);
  reference.insert(reference.end(), bright.begin(), bright.end());
  const ReferenceRanges ranges(reference);
  EXPECT_DOUBLE_EQ(ranges.range_for(ContrastPhase::kNone)->low, 1);
  EXPECT_DOUBLE_EQ(ranges.range_for(ContrastPhase::kNone)->high, 39);
  // Too few delayed ones: all phases together.
  EXPECT_EQ(ranges.range_for(ContrastPhase::kDelayed)->of, 82);
  const auto agreement = agreement_of({{"a", ContrastPhase::kNone, 20},
                                       {"b", ContrastPhase::kNone, 120},
                                       {"c", ContrastPhase::kArterial, 125},
                                       {"d", ContrastPhase::kArterial, NAN}},
                                      ranges);
  EXPECT_EQ(agreement.of, 3);
  EXPECT_EQ(agreement.median, 120);
  EXPECT_EQ(agreement.inside.proportion, (Proportion{2, 3}));
  EXPECT_DOUBLE_EQ(agreement.offset.value, 5);  // 0, 100, 5
}

TEST(Agreement, VisibleIsWhatHasTheSignAndARangeOfOneSign) {
  const std::vector<Observation> some = {
      {"a", {}, -20}, {"b", {}, 0.5}, {"c", {}, -60}, {"d", {}, -40}, {"e", {}, -1.5}};
  const ReferenceRanges dark(observations(41, -40, 1, std::nullopt));  // -40…0, 40 of 41 below
  const auto agreement = agreement_of(some, dark);
  EXPECT_EQ(agreement.inside.proportion, (Proportion{2, 5}));   // -39…-1
  EXPECT_EQ(agreement.visible.proportion, (Proportion{3, 5}));  // all of -40…0 below 0
  const ReferenceRanges both(observations(41, -30, 1, std::nullopt));
  EXPECT_EQ(agreement_of(some, both).visible.proportion.total, 0);
  EXPECT_FALSE(both.all()->shows(-10).has_value());
}

TEST(Agreement, WithoutEnoughReferenceNothingIsJudged) {
  const ReferenceRanges ranges(observations(19, 0, 1, ContrastPhase::kNone));
  EXPECT_EQ(ranges.range_for(ContrastPhase::kNone), nullptr);
  const auto agreement = agreement_of({{"a", ContrastPhase::kNone, 5}}, ranges);
  EXPECT_EQ(agreement.inside.proportion.total, 0);
  EXPECT_TRUE(std::isnan(agreement.offset.value));
  EXPECT_TRUE(to_json(agreement)["offset"]["value"].is_null());
}

TEST(ImageMask, CasesThatAreTheReferenceAgreeWithIt) {
  std::vector<ImageMaskCase> cases;
  std::vector<CaseAppearance> reference;
  for (int i = 0; i < 40; ++i) {
    Liver liver;
    liver.paint("liver", 80 + i);
    CaseAppearance seen = liver.measured(i % 2 ? ContrastPhase::kArterial : ContrastPhase::kNone);
    seen.id = "case-" + std::to_string(i);
    reference.push_back(seen);
    cases.push_back({seen.id, seen, compare_masks(liver.mask, liver.mask, torso(), 3), {}});
  }
  const ImageMaskReport report = summarize_image_mask(cases, reference, torso());
  EXPECT_EQ(report.segmentation->organ_dice.value, 1);
  EXPECT_EQ(report.segmentation->tumors[0].detected.proportion, (Proportion{40, 40}));
  ASSERT_EQ(report.appearance[0].figure, "median_hu");
  const auto& rows = report.appearance[0].rows;  // of the body first: all and two phases
  ASSERT_GT(rows.size(), 3U);
  const auto& liver = rows[3];
  EXPECT_EQ(liver.organ + " " + liver.phase, "liver all");
  EXPECT_EQ(liver.agreement.offset.value, 0);
  EXPECT_GE(liver.agreement.inside.proportion.hits, 36);
  EXPECT_EQ(report.contrast[0].organ, "all");
  EXPECT_GE(report.contrast[0].agreement.visible.proportion.hits, 36);
  EXPECT_THAT(to_table(report), HasSubstr("tumors visible as in the reference"));
  EXPECT_EQ(to_json(report)["summary"]["segmentation"]["groups"].size(), 1U);  // torso
}

TEST(ImageMask, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { evaluate_image_mask(folder.path(), torso(), {}); },
              throws_usage(HasSubstr("--segmenter, --reference or both")));
  ImageMaskOptions options;
  options.reference = folder.path();
  EXPECT_THAT([&] { evaluate_image_mask(folder.path(), torso(), options); },
              throws_usage(HasSubstr("no case in it")));
  options.reference = folder / "nowhere";
  const Liver liver;
  Prompt prompt;
  prompt.id = "a";
  DatasetWriter writer(folder.path(), torso());
  writer.add(prompt, liver.mask, liver.ct);
  EXPECT_THAT([&] { evaluate_image_mask(folder.path(), torso(), options); },
              throws_usage(HasSubstr("nowhere")));
}

}  // namespace
}  // namespace guidegen
