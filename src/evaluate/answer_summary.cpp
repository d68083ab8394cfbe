#include "guidegen/evaluate/answer_summary.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>

#include "evaluate/report_words.hpp"

namespace guidegen {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// What the cases of one prompt add to the figures.
struct Tally {
  Proportion organ, position, count, stray, false_tumors;
  int64_t count_error = 0;
  std::vector<double> asked_mm, found_mm;

  void add(const Tally& other) {
    for (const auto member :
         {&Tally::organ, &Tally::position, &Tally::count, &Tally::stray, &Tally::false_tumors}) {
      (this->*member).add((other.*member).hits, (other.*member).total);
    }
    count_error += other.count_error;
    asked_mm.insert(asked_mm.end(), other.asked_mm.begin(), other.asked_mm.end());
    found_mm.insert(found_mm.end(), other.found_mm.begin(), other.found_mm.end());
  }
  bool empty() const { return organ.total + count.total + stray.total + false_tumors.total == 0; }
};

bool fits(const AskedTumor& tumor, const TumorFilter& filter) {
  if (filter.organ && tumor.organ != *filter.organ) return false;
  return !filter.size || (tumor.size_mm && size_class_of(*tumor.size_mm) == *filter.size);
}

void tally_tumors(Tally& tally, const CaseAnswer& answer, const TumorFilter& filter) {
  for (const AskedTumor& tumor : answer.asked) {
    if (!fits(tumor, filter)) continue;
    const bool organ_right = answer.organ_right(tumor);
    tally.organ.add(organ_right ? 1 : 0, 1);
    if (tumor.position) tally.position.add(answer.position_right(tumor) ? 1 : 0, 1);
    if (organ_right && tumor.size_mm) {
      tally.asked_mm.push_back(*tumor.size_mm);
      tally.found_mm.push_back(answer.answer_to(tumor)->component.diameter_mm);
    }
  }
}

void tally_counts(Tally& tally, const CaseAnswer& answer, const TumorFilter& filter) {
  for (const auto& [organ, count] : answer.organs) {
    const TumorOrgan here = organ;
    const bool all_fit = std::all_of(
        answer.asked.begin(), answer.asked.end(),
        [&](const AskedTumor& tumor) { return tumor.organ != here || fits(tumor, filter); });
    if (count.count_open || !all_fit) continue;
    tally.count.add(count.found == count.requested ? 1 : 0, 1);
    tally.count_error += std::abs(count.found - count.requested);
  }
}

Tally tally_of(const CaseAnswer& answer, const TumorFilter& filter) {
  Tally tally;
  tally_tumors(tally, answer, filter);
  tally_counts(tally, answer, filter);
  if (filter.organ || filter.size) return tally;
  if (answer.asks_none) {
    tally.false_tumors.add(answer.found.empty() ? 0 : 1, 1);
  } else {
    tally.stray.add(answer.stray(), static_cast<int64_t>(answer.found.size()));
  }
  return tally;
}

std::vector<Tally> tally_by_prompt(const std::vector<const CaseAnswer*>& cases,
                                   const TumorFilter& filter) {
  std::map<std::string, Tally> prompts;
  for (const CaseAnswer* answer : cases) {
    if (answer->judged) prompts[prompt_id_of(answer->id)].add(tally_of(*answer, filter));
  }
  std::vector<Tally> tallies;
  for (const auto& [id, tally] : prompts) {
    if (!tally.empty()) tallies.push_back(tally);
  }
  return tallies;
}

double mean_error(const Tally& tally, bool relative) {
  double sum = 0;
  for (size_t i = 0; i < tally.asked_mm.size(); ++i) {
    const double error = std::abs(tally.found_mm[i] - tally.asked_mm[i]);
    sum += relative ? error / tally.asked_mm[i] : error;
  }
  return tally.asked_mm.empty() ? kNaN : sum / static_cast<double>(tally.asked_mm.size());
}

double mean_count_error(const Tally& tally) {
  if (tally.count.total == 0) return kNaN;
  return static_cast<double>(tally.count_error) / static_cast<double>(tally.count.total);
}

/// In the order in which summarize() takes them up.
std::vector<double> figures_of(const Tally& tally) {
  return {tally.organ.share(),
          tally.position.share(),
          tally.count.share(),
          tally.stray.share(),
          tally.false_tumors.share(),
          mean_count_error(tally),
          spearman(tally.asked_mm, tally.found_mm),
          mean_error(tally, /*relative=*/false),
          mean_error(tally, /*relative=*/true)};
}

}  // namespace

std::pair<double, double> Share::interval() const {
  const auto [low, high] = proportion.interval();
  // fmin and fmax take the other side where one is NaN.
  return {std::fmin(low, by_case.first), std::fmax(high, by_case.second)};
}

SizeClass size_class_of(double diameter_mm) {
  if (diameter_mm < 16) return SizeClass::kSmall;
  return diameter_mm <= 30 ? SizeClass::kMedium : SizeClass::kLarge;
}

std::string name_of(SizeClass value) {
  switch (value) {
    case SizeClass::kSmall:
      return "<16 mm";
    case SizeClass::kMedium:
      return "16-30 mm";
    case SizeClass::kLarge:
      return ">30 mm";
  }
  return "";
}

std::string prompt_id_of(const std::string& case_id) {
  const size_t dash = case_id.rfind("-s");
  if (dash == std::string::npos || dash == 0 || case_id.size() < dash + 4) return case_id;
  const bool number = std::all_of(case_id.begin() + static_cast<std::ptrdiff_t>(dash) + 2,
                                  case_id.end(), [](unsigned char c) { return std::isdigit(c); });
  return number ? case_id.substr(0, dash) : case_id;
}

AnswerSummary summarize(const std::vector<const CaseAnswer*>& cases, const TumorFilter& filter,
                        const BootstrapOptions& options) {
  const std::vector<Tally> tallies = tally_by_prompt(cases, filter);
  Tally all;
  for (const Tally& tally : tallies) all.add(tally);
  const std::vector<double> figures = figures_of(all);
  auto intervals = bootstrap_intervals(
      tallies.size(),
      [&](const std::vector<size_t>& draw) {
        Tally drawn;
        for (const size_t index : draw) drawn.add(tallies[index]);
        return figures_of(drawn);
      },
      options);
  intervals.resize(figures.size(), {kNaN, kNaN});
  const auto estimate = [&](size_t figure, size_t of) {
    return Estimate{figures[figure], intervals[figure], static_cast<int64_t>(of)};
  };
  AnswerSummary summary;
  summary.organ = {all.organ, intervals[0]};
  summary.position = {all.position, intervals[1]};
  summary.count = {all.count, intervals[2]};
  summary.stray = {all.stray, intervals[3]};
  summary.false_tumors = {all.false_tumors, intervals[4]};
  summary.count_error = estimate(5, static_cast<size_t>(all.count.total));
  summary.size_correlation = estimate(6, all.asked_mm.size());
  summary.size_error_mm = estimate(7, all.asked_mm.size());
  summary.size_relative_error = estimate(8, all.asked_mm.size());
  return summary;
}

Json to_json(const Share& share) {
  Json json = to_json(share.proportion);
  json["case_low"] = number_or_null(share.by_case.first);
  json["case_high"] = number_or_null(share.by_case.second);
  return json;
}

Json to_json(const Estimate& estimate) {
  Json json = Json::object();
  json["value"] = number_or_null(estimate.value);
  json["low"] = number_or_null(estimate.interval.first);
  json["high"] = number_or_null(estimate.interval.second);
  json["of"] = estimate.of;
  return json;
}

Json to_json(const AnswerSummary& summary) {
  Json json = Json::object();
  json["organ"] = to_json(summary.organ);
  json["position"] = to_json(summary.position);
  json["count"] = to_json(summary.count);
  json["count_error"] = to_json(summary.count_error);
  json["size_spearman"] = to_json(summary.size_correlation);
  json["size_error_mm"] = to_json(summary.size_error_mm);
  json["size_relative_error"] = to_json(summary.size_relative_error);
  return json;
}

}  // namespace guidegen
