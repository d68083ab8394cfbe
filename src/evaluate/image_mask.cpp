#include "guidegen/evaluate/image_mask.hpp"

#include <algorithm>

#include "evaluate/image_mask_pictures.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

struct CaseImage {
  Prompt prompt;
  Volume mask, ct;
};

CaseImage read_case(const fs::path& folder, const Vocabulary& vocabulary) {
  CaseImage out{read_case_prompt(folder), read_mask(folder / "mask.nii.gz", vocabulary.size()),
                read_ct(folder / "ct.nii.gz")};
  if (!same_geometry(out.mask.geometry, out.ct.geometry)) {
    throw_failure((folder / "ct.nii.gz").string(),
                  ": its grid differs from that of mask.nii.gz, expected one grid a case");
  }
  // Samples of one prompt share its id.
  out.prompt.id = folder.filename().string();
  return out;
}

std::vector<std::string> case_ids(const fs::path& root) {
  std::vector<std::string> ids = complete_cases(root);
  if (ids.empty()) {
    throw_usage(root.string(),
                ": no case in it, expected folders with prompt.json, mask.nii.gz and ct.nii.gz");
  }
  return ids;
}

void check_labels(const SegmenterModel& segmenter, const Vocabulary& vocabulary) {
  const auto& own = segmenter.vocabulary().labels();
  const auto& labels = vocabulary.labels();
  if (own.size() != labels.size()) {
    throw_usage("the segmenter knows ", own.size(), " labels, the masks have ", labels.size(),
                "; expected one trained on the same vocabulary");
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (own[i].name == labels[i].name) continue;
    throw_usage("label ", i, " is ", own[i].name, " to the segmenter and ", labels[i].name,
                " in the masks; expected one trained on the same vocabulary");
  }
}

ImageMaskCase judge_case(const CaseImage& image, const Vocabulary& vocabulary,
                         const ImageMaskOptions& options, bool draw) {
  ImageMaskCase out;
  out.id = image.prompt.id;
  out.appearance = measure_appearance(image.ct, image.mask, image.prompt, vocabulary);
  std::optional<Volume> found;
  if (options.segmenter) {
    const Vec3& spacing = image.mask.geometry.spacing;
    const double tolerance = options.tolerance_mm > 0
                                 ? options.tolerance_mm
                                 : *std::max_element(spacing.begin(), spacing.end());
    found = options.segmenter->segment(image.ct, {}, [](int64_t, int64_t) { throw_if_stopped(); });
    out.segmentation = compare_masks(image.mask, *found, vocabulary, tolerance);
  }
  if (draw) {
    out.pictures = draw_image_mask(image.ct, image.mask, found ? &*found : nullptr, vocabulary);
  }
  return out;
}

std::vector<CaseAppearance> measure_reference(const ImageMaskOptions& options,
                                              const std::vector<std::string>& ids,
                                              const Vocabulary& vocabulary,
                                              const std::function<void()>& on_case) {
  std::vector<CaseAppearance> out;
  for (const std::string& id : ids) {
    throw_if_stopped();
    const CaseImage image = read_case(options.reference / id, vocabulary);
    out.push_back(measure_appearance(image.ct, image.mask, image.prompt, vocabulary));
    on_case();
  }
  return out;
}

/// At most `count` of them (0: all), evenly spread.
std::vector<std::string> some_of(const std::vector<std::string>& ids, int64_t count) {
  const auto wanted = static_cast<size_t>(count);
  if (wanted == 0 || ids.size() <= wanted) return ids;
  std::vector<std::string> some;
  for (size_t i = 0; i < wanted; ++i) some.push_back(ids[i * ids.size() / wanted]);
  return some;
}

}  // namespace

ImageMaskReport evaluate_image_mask(const fs::path& root, const Vocabulary& vocabulary,
                                    const ImageMaskOptions& options,
                                    const std::function<void(int64_t, int64_t)>& on_case) {
  if (!options.segmenter && options.reference.empty()) {
    throw_usage("nothing to judge by, expected --segmenter, --reference or both");
  }
  if (options.segmenter) check_labels(*options.segmenter, vocabulary);
  const std::vector<std::string> ids = case_ids(root);
  std::vector<std::string> reference_ids;
  if (!options.reference.empty()) {
    reference_ids = some_of(case_ids(options.reference), options.reference_cases);
  }
  const auto total = static_cast<int64_t>(ids.size() + reference_ids.size());
  int64_t done = 0;
  const auto count = [&] {
    ++done;
    if (on_case) on_case(done, total);
  };
  const auto reference = measure_reference(options, reference_ids, vocabulary, count);
  std::vector<ImageMaskCase> cases;
  for (const std::string& id : ids) {
    throw_if_stopped();
    const bool draw = static_cast<int64_t>(cases.size()) < options.pictures;
    cases.push_back(judge_case(read_case(root / id, vocabulary), vocabulary, options, draw));
    count();
  }
  ImageMaskReport report = summarize_image_mask(std::move(cases), reference, vocabulary);
  report.tolerance_mm = options.tolerance_mm;
  return report;
}

}  // namespace guidegen
