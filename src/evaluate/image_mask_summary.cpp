#include <cmath>
#include <limits>

#include "evaluate/appearance_figures.hpp"
#include "guidegen/evaluate/image_mask.hpp"

namespace guidegen {
namespace {

constexpr const char* kAll = "all";

using Observations = std::map<std::string, std::vector<Observation>>;  // by organ

Observations observations_of(const std::vector<const CaseAppearance*>& cases,
                             const AppearanceFigure& figure) {
  Observations out;
  for (const CaseAppearance* item : cases) {
    for (const auto& [organ, measured] : item->organs) {
      out[organ].push_back({prompt_id_of(item->id), item->phase, measured.*figure.value});
    }
  }
  return out;
}

Observations contrasts_of(const std::vector<const CaseAppearance*>& cases) {
  Observations out;
  for (const CaseAppearance* item : cases) {
    for (const TumorAppearance& tumor : item->tumors) {
      out[name_of(tumor.organ)].push_back({prompt_id_of(item->id), item->phase, tumor.contrast_hu});
    }
  }
  return out;
}

std::vector<Observation> of_phase(const std::vector<Observation>& all, const std::string& phase) {
  std::vector<Observation> some;
  for (const Observation& observation : all) {
    if (observation.phase && name_of(*observation.phase) == phase) some.push_back(observation);
  }
  return some;
}

void add_inside(ClusteredValues& inside, const std::vector<Observation>& values,
                const ReferenceRanges& ranges) {
  for (const Observation& observation : values) {
    const ReferenceRange* range = ranges.range_for(observation.phase);
    if (!range || !std::isfinite(observation.value)) continue;
    inside.emplace_back(observation.cluster, range->contains(observation.value) ? 1 : 0);
  }
}

AppearanceSummary summarize_figure(const std::vector<const CaseAppearance*>& cases,
                                   const std::vector<const CaseAppearance*>& reference,
                                   const AppearanceFigure& figure, const Vocabulary& vocabulary) {
  const Observations values = observations_of(cases, figure);
  const Observations expected = observations_of(reference, figure);
  AppearanceSummary out{figure.key, {}, {}};
  ClusteredValues inside;
  for (const LabelInfo& label : vocabulary.labels()) {
    const auto found = values.find(label.name);
    const auto wanted = expected.find(label.name);
    if (found == values.end() || wanted == expected.end()) continue;
    const ReferenceRanges ranges(wanted->second);
    Agreement agreement = agreement_of(found->second, ranges);
    if (agreement.inside.proportion.total == 0) continue;
    add_inside(inside, found->second, ranges);
    out.rows.push_back({label.name, kAll, std::move(agreement)});
    if (!figure.by_phase) continue;
    for (const std::string& phase : contrast_names()) {
      const auto some = of_phase(found->second, phase);
      const ReferenceRanges own(of_phase(wanted->second, phase));
      Agreement in_phase = agreement_of(some, own);
      if (in_phase.inside.proportion.total == 0) continue;
      out.rows.push_back({label.name, phase, std::move(in_phase)});
    }
  }
  out.inside = share_of(inside);
  return out;
}

/// Tumors are judged by the range of their own host; the row "all" adds them up.
std::vector<AppearanceRow> summarize_contrast(const std::vector<const CaseAppearance*>& cases,
                                              const std::vector<const CaseAppearance*>& reference) {
  const Observations values = contrasts_of(cases);
  const Observations expected = contrasts_of(reference);
  std::vector<AppearanceRow> rows;
  ClusteredValues inside, visible;
  for (const auto& [organ, found] : values) {
    const auto wanted = expected.find(organ);
    if (wanted == expected.end()) continue;
    const ReferenceRanges ranges(wanted->second);
    Agreement agreement = agreement_of(found, ranges);
    if (agreement.inside.proportion.total == 0) continue;
    for (const Observation& observation : found) {
      const ReferenceRange* range = ranges.range_for(observation.phase);
      if (!range || !std::isfinite(observation.value)) continue;
      inside.emplace_back(observation.cluster, range->contains(observation.value) ? 1 : 0);
      if (const auto shown = range->shows(observation.value)) {
        visible.emplace_back(observation.cluster, *shown ? 1 : 0);
      }
    }
    rows.push_back({organ, kAll, std::move(agreement)});
  }
  if (rows.empty()) return rows;
  Agreement together;
  together.of = static_cast<int64_t>(inside.size());
  together.median = std::numeric_limits<double>::quiet_NaN();  // of hosts too unlike for one
  together.offset = together.ratio = mean_of({});
  together.inside = share_of(inside);
  together.visible = share_of(visible);
  rows.insert(rows.begin(), {kAll, kAll, std::move(together)});
  return rows;
}

using Overlaps = std::map<std::string, Overlap> Resegmentation::*;

OverlapSummary summarize_overlap(const std::vector<ImageMaskCase>& cases, Overlaps where,
                                 const std::string& name) {
  ClusteredValues dice, surface, distance;
  for (const ImageMaskCase& item : cases) {
    const auto& overlaps = (*item.segmentation).*where;
    const auto found = overlaps.find(name);
    if (found == overlaps.end() || found->second.wanted_voxels == 0) continue;
    const std::string cluster = prompt_id_of(item.id);
    dice.emplace_back(cluster, found->second.dice);
    surface.emplace_back(cluster, found->second.surface_dice);
    distance.emplace_back(cluster, found->second.hd95_mm);
  }
  return {name, mean_of(dice), mean_of(surface), mean_of(distance)};
}

double mean_organ_dice(const Resegmentation& segmentation, const Vocabulary& vocabulary) {
  double sum = 0;
  double count = 0;
  for (const auto& [name, overlap] : segmentation.labels) {
    const auto id = vocabulary.id(name);
    if (id == vocabulary.body() || id == vocabulary.tumor() || overlap.wanted_voxels == 0) continue;
    sum += overlap.dice;
    count += 1;
  }
  return sum / count;
}

/// Tumors that `belongs` of all cases.
template <typename Predicate>
DetectionSummary summarize_detection(const std::vector<ImageMaskCase>& cases,
                                     const std::string& name, Predicate&& belongs) {
  ClusteredValues detected, dice;
  for (const ImageMaskCase& item : cases) {
    for (const TumorCheck& tumor : item.segmentation->tumors) {
      if (!belongs(tumor)) continue;
      detected.emplace_back(prompt_id_of(item.id), tumor.detected ? 1 : 0);
      dice.emplace_back(prompt_id_of(item.id), tumor.dice);
    }
  }
  return {name, share_of(detected), mean_of(dice)};
}

std::vector<DetectionSummary> detections(const std::vector<ImageMaskCase>& cases) {
  std::vector<DetectionSummary> rows;
  const auto add = [&](const std::string& name, const auto& belongs) {
    DetectionSummary row = summarize_detection(cases, name, belongs);
    if (row.detected.proportion.total > 0) rows.push_back(std::move(row));
  };
  add(kAll, [](const TumorCheck&) { return true; });
  for (int k = 0; k < kTumorOrganCount; ++k) {
    const auto organ = static_cast<TumorOrgan>(k);
    add(name_of(organ), [&](const TumorCheck& tumor) { return tumor.organ == organ; });
  }
  for (int k = 0; k < kSizeClassCount; ++k) {
    const auto size = static_cast<SizeClass>(k);
    add(name_of(size),
        [&](const TumorCheck& tumor) { return size_class_of(tumor.diameter_mm) == size; });
  }
  return rows;
}

SegmentationSummary summarize_segmentation(const std::vector<ImageMaskCase>& cases,
                                           const Vocabulary& vocabulary) {
  SegmentationSummary out;
  ClusteredValues dice, false_tumors;
  for (const ImageMaskCase& item : cases) {
    const std::string cluster = prompt_id_of(item.id);
    dice.emplace_back(cluster, mean_organ_dice(*item.segmentation, vocabulary));
    false_tumors.emplace_back(cluster, static_cast<double>(item.segmentation->false_tumors));
  }
  out.organ_dice = mean_of(dice);
  out.false_tumors = mean_of(false_tumors);
  for (const LabelInfo& label : vocabulary.labels()) {
    OverlapSummary row = summarize_overlap(cases, &Resegmentation::labels, label.name);
    if (row.dice.of > 0) out.labels.push_back(std::move(row));
  }
  for (const auto& [name, members] : vocabulary.groups()) {
    OverlapSummary row = summarize_overlap(cases, &Resegmentation::groups, name);
    if (row.dice.of > 0) out.groups.push_back(std::move(row));
  }
  out.tumors = detections(cases);
  return out;
}

}  // namespace

ImageMaskReport summarize_image_mask(std::vector<ImageMaskCase> cases,
                                     const std::vector<CaseAppearance>& reference,
                                     const Vocabulary& vocabulary) {
  ImageMaskReport report;
  report.reference_cases = static_cast<int64_t>(reference.size());
  report.cases = std::move(cases);
  if (!report.cases.empty() && report.cases.front().segmentation) {
    report.segmentation = summarize_segmentation(report.cases, vocabulary);
  }
  if (reference.empty()) return report;
  std::vector<const CaseAppearance*> judged, expected;
  for (const ImageMaskCase& item : report.cases) judged.push_back(&item.appearance);
  for (const CaseAppearance& item : reference) expected.push_back(&item);
  for (const AppearanceFigure& figure : kAppearanceFigures) {
    report.appearance.push_back(summarize_figure(judged, expected, figure, vocabulary));
  }
  report.contrast = summarize_contrast(judged, expected);
  return report;
}

}  // namespace guidegen
