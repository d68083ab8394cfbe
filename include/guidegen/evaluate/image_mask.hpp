#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/evaluate/agreement.hpp"
#include "guidegen/evaluate/appearance.hpp"
#include "guidegen/evaluate/resegmentation.hpp"
#include "guidegen/stages/segment_ct.hpp"

namespace guidegen {

/// PNG bytes of three planes each: axial, coronal, sagittal.
struct ImageMaskPictures {
  std::string ct, mask;      ///< the CT alone, and with the mask's outlines
  std::string segmentation;  ///< with those of the re-segmentation; empty without a segmenter
};

/// One CT and the mask that it was made for.
struct ImageMaskCase {
  std::string id;
  CaseAppearance appearance;
  std::optional<Resegmentation> segmentation;
  std::optional<ImageMaskPictures> pictures;
};

/// Means over the cases whose mask holds the label.
struct OverlapSummary {
  std::string name;  ///< label or group
  Estimate dice, surface_dice, hd95_mm;
};

/// Tumors of one host organ or size, or all.
struct DetectionSummary {
  std::string name;
  Share detected;
  Estimate dice;
};

struct SegmentationSummary {
  /// Mean over cases of the mean Dice of their labels, body and tumor left out.
  Estimate organ_dice;
  std::vector<OverlapSummary> labels, groups;
  std::vector<DetectionSummary> tumors;  ///< "all" first
  Estimate false_tumors;                 ///< a case
};

/// One organ against the reference. `phase` is "all", or the one that the row is about.
struct AppearanceRow {
  std::string organ;
  std::string phase;
  Agreement agreement;
};

/// One figure of OrganAppearance over organs, or the contrast of tumors over their hosts ("all"
/// first).
struct AppearanceSummary {
  std::string figure;  ///< "median_hu"
  Share inside;        ///< of all organs together
  std::vector<AppearanceRow> rows;
};

struct ImageMaskReport {
  int64_t reference_cases = 0;
  double tolerance_mm = 0;  ///< 0: the largest spacing of each case
  std::vector<ImageMaskCase> cases;
  std::optional<SegmentationSummary> segmentation;  ///< with a segmenter
  std::vector<AppearanceSummary> appearance;        ///< with a reference
  std::vector<AppearanceRow> contrast;              ///< of tumors, by host; with a reference
};

struct ImageMaskOptions {
  const SegmenterModel* segmenter = nullptr;
  std::filesystem::path reference{};  ///< folder of cases, empty: none
  int64_t reference_cases = 300;      ///< of it, evenly spread; 0: all
  double tolerance_mm = 0;            ///< of surface Dice; 0: the largest spacing of each case
  int64_t pictures = 0;               ///< cases to draw
};

/// Judges every case folder (<id>/{prompt.json, mask.nii.gz, ct.nii.gz}) of `root`. Throws
/// Error(kUsage) when there is none, when there is neither segmenter nor reference, or when the
/// segmenter has other labels than `vocabulary`; Error(kFailure) naming a CT whose grid is not that
/// of its mask.
ImageMaskReport evaluate_image_mask(const std::filesystem::path& root, const Vocabulary& vocabulary,
                                    const ImageMaskOptions& options,
                                    const std::function<void(int64_t, int64_t)>& on_case = {});

/// The figures of judged cases; `reference` may be empty.
ImageMaskReport summarize_image_mask(std::vector<ImageMaskCase> cases,
                                     const std::vector<CaseAppearance>& reference,
                                     const Vocabulary& vocabulary);

/// Tables for people and a final newline.
std::string to_table(const ImageMaskReport& report);
/// Everything but the pictures; figures that do not exist are null.
Json to_json(const ImageMaskReport& report);
/// A page that needs no other file.
std::string to_page(const ImageMaskReport& report, const std::string& title);

}  // namespace guidegen
