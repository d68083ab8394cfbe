#include <array>

#include "data/phantom/tumors.hpp"

namespace guidegen::phantom {
namespace {

struct StageRow {
  TumorOrgan organ;
  const char* stage;
  SizeRange size;
};

// Brierley, Gospodarowicz, Wittekind (eds.), TNM Classification of Malignant Tumours, 8th edition
// (2017): those T stages that the greatest diameter decides.
constexpr std::array kStages{StageRow{TumorOrgan::kLung, "T1a", {0, 10}},
                             StageRow{TumorOrgan::kLung, "T1b", {10, 20}},
                             StageRow{TumorOrgan::kLung, "T1c", {20, 30}},
                             StageRow{TumorOrgan::kLung, "T2a", {30, 40}},
                             StageRow{TumorOrgan::kLung, "T2b", {40, 50}},
                             StageRow{TumorOrgan::kLung, "T3", {50, 70}},
                             StageRow{TumorOrgan::kLung, "T4", {70, 150}},
                             StageRow{TumorOrgan::kKidney, "T1a", {0, 40}},
                             StageRow{TumorOrgan::kKidney, "T1b", {40, 70}},
                             StageRow{TumorOrgan::kKidney, "T2a", {70, 100}},
                             StageRow{TumorOrgan::kKidney, "T2b", {100, 150}},
                             StageRow{TumorOrgan::kPancreas, "T1", {0, 20}},
                             StageRow{TumorOrgan::kPancreas, "T2", {20, 40}},
                             StageRow{TumorOrgan::kPancreas, "T3", {40, 150}}};

struct SizePrior {
  double median_mm;
  double low_mm;
  double high_mm;
};

SizePrior size_prior(TumorOrgan organ) {
  switch (organ) {
    case TumorOrgan::kLung:
      return {30, 12, 70};
    case TumorOrgan::kLiver:
      return {34, 14, 70};
    case TumorOrgan::kKidney:
      return {34, 14, 60};
    case TumorOrgan::kColon:
      return {30, 16, 46};
    case TumorOrgan::kPancreas:
      return {22, 13, 34};
  }
  return {30, 12, 70};
}

TumorPlan complete(const TumorRequest& request, RandomStream& stream) {
  TumorPlan plan;
  const std::vector<TumorPosition> positions = positions_of(request.organ);
  const auto position =
      positions[static_cast<size_t>(stream.integer(static_cast<int64_t>(positions.size())))];
  // The hollow and small organs rarely hold more than one primary.
  const bool small = request.organ == TumorOrgan::kColon || request.organ == TumorOrgan::kPancreas;
  const auto count =
      static_cast<int>(1 + stream.choice(small ? std::vector<double>{0.85, 0.15}
                                         : request.organ == TumorOrgan::kKidney
                                             ? std::vector<double>{0.75, 0.2, 0.05}
                                             : std::vector<double>{0.5, 0.25, 0.15, 0.1}));
  const SizePrior prior = size_prior(request.organ);
  double size =
      std::clamp(prior.median_mm * std::exp(0.42 * stream.normal()), prior.low_mm, prior.high_mm);
  const double within = stream.uniform(0.15, 0.85);
  plan.position = request.position.value_or(position);
  plan.count = request.count.value_or(count);
  plan.stage = request.stage;
  if (plan.count > 1) size = std::max(prior.low_mm, size * std::pow(plan.count, -0.25));
  if (request.stage) {
    if (const auto range = size_of_stage(request.organ, *request.stage)) {
      size = std::max(8.0, range->low) +
             within * (std::min(range->high, 110.0) - std::max(8.0, range->low));
    }
  }
  plan.size_mm = request.size_mm.value_or(size);
  return plan;
}

}  // namespace

std::optional<SizeRange> size_of_stage(TumorOrgan organ, const std::string& stage) {
  std::optional<SizeRange> found;
  for (const StageRow& row : kStages) {
    // "T1" spans T1a to T1c.
    if (row.organ != organ || std::string_view(row.stage).substr(0, stage.size()) != stage)
      continue;
    if (!found) found = row.size;
    found->high = row.size.high;
  }
  return stage.empty() ? std::nullopt : found;
}

std::optional<std::string> stage_of_size(TumorOrgan organ, double size_mm) {
  for (const StageRow& row : kStages) {
    if (row.organ == organ && size_mm > row.size.low && size_mm <= row.size.high) return row.stage;
  }
  return std::nullopt;
}

std::vector<TumorPlan> plan_tumors(const Prompt& wish, RandomStream& stream) {
  std::vector<TumorRequest> requests;
  const int64_t groups = stream.choice({0.25, 0.55, 0.20});
  for (int64_t i = 0; i < groups; ++i) {
    TumorRequest request;
    request.organ = static_cast<TumorOrgan>(stream.integer(kTumorOrganCount));
    requests.push_back(request);
  }
  if (wish.tumors) requests = *wish.tumors;
  std::vector<TumorPlan> plans;
  for (const TumorRequest& request : requests) plans.push_back(complete(request, stream));
  return plans;
}

std::vector<TumorRequest> describe_tumors(const std::vector<PlacedTumor>& tumors,
                                          const std::vector<TumorPlan>& plans) {
  std::vector<TumorRequest> out;
  for (int p = 0; p < kTumorPositionCount; ++p) {
    const auto position = static_cast<TumorPosition>(p);
    int count = 0;
    double sum = 0;
    double largest = 0;
    for (const PlacedTumor& tumor : tumors) {
      if (tumor.position != position) continue;
      ++count;
      sum += tumor.diameter_mm;
      largest = std::max(largest, tumor.diameter_mm);
    }
    if (count == 0) continue;
    TumorRequest request;
    request.organ = organ_of(position);
    request.position = position;
    request.count = count;
    request.size_mm = std::round(10.0 * sum / count) / 10.0;
    request.stage = stage_of_size(request.organ, largest);
    for (const TumorPlan& plan : plans) {
      // A stage that size does not decide is the wish's word.
      if (plan.position == position && plan.stage && !request.stage) request.stage = plan.stage;
    }
    out.push_back(request);
  }
  return out;
}

}  // namespace guidegen::phantom
