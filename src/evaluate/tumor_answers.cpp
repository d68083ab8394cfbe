#include "guidegen/evaluate/tumor_answers.hpp"

#include <algorithm>
#include <cmath>

#include "guidegen/evaluate/assignment.hpp"

namespace guidegen {
namespace {

std::vector<AskedTumor> one_by_one(const std::vector<TumorRequest>& requests) {
  std::vector<AskedTumor> tumors;
  for (const TumorRequest& request : requests) {
    const AskedTumor tumor{request.organ, request.position, request.size_mm, std::nullopt};
    tumors.insert(tumors.end(), static_cast<size_t>(request.count.value_or(1)), tumor);
  }
  return tumors;
}

void match(std::vector<AskedTumor>& asked, const std::vector<FoundTumor>& found) {
  std::vector<std::vector<double>> cost;
  for (const AskedTumor& tumor : asked) {
    std::vector<double>& row = cost.emplace_back();
    for (const FoundTumor& candidate : found) row.push_back(answer_cost(tumor, candidate));
  }
  const auto answers = assign_at_least_cost(cost);
  for (size_t i = 0; i < asked.size(); ++i) asked[i].found = answers[i];
}

std::map<TumorOrgan, OrganCount> count_by_organ(const std::vector<TumorRequest>& requests,
                                                const std::vector<FoundTumor>& found) {
  std::map<TumorOrgan, OrganCount> organs;
  for (const TumorRequest& request : requests) {
    OrganCount& count = organs[request.organ];
    count.requested += request.count.value_or(1);
    count.count_open = count.count_open || !request.count;
  }
  for (const FoundTumor& tumor : found) {
    if (tumor.organ && organs.contains(*tumor.organ)) ++organs[*tumor.organ].found;
  }
  return organs;
}

}  // namespace

const FoundTumor* CaseAnswer::answer_to(const AskedTumor& tumor) const {
  return tumor.found ? &found[*tumor.found] : nullptr;
}

bool CaseAnswer::organ_right(const AskedTumor& tumor) const {
  const FoundTumor* answer = answer_to(tumor);
  return answer && answer->organ == tumor.organ;
}

bool CaseAnswer::position_right(const AskedTumor& tumor) const {
  const FoundTumor* answer = answer_to(tumor);
  return answer && tumor.position && answer->position == tumor.position;
}

std::vector<const FoundTumor*> CaseAnswer::not_asked() const {
  std::vector<bool> taken(found.size());
  for (const AskedTumor& tumor : asked) {
    if (tumor.found) taken[*tumor.found] = true;
  }
  std::vector<const FoundTumor*> rest;
  for (size_t i = 0; i < found.size(); ++i) {
    if (!taken[i]) rest.push_back(&found[i]);
  }
  return rest;
}

int64_t CaseAnswer::stray() const {
  return std::count_if(found.begin(), found.end(), [&](const FoundTumor& tumor) {
    return !tumor.organ || !organs.contains(*tumor.organ);
  });
}

double answer_cost(const AskedTumor& asked, const FoundTumor& found) {
  constexpr double kOtherOrgan = 1e6;
  constexpr double kOtherPosition = 1e3;
  double cost = found.organ == asked.organ ? 0 : kOtherOrgan;
  if (asked.position && found.position != asked.position) cost += kOtherPosition;
  if (asked.size_mm && found.component.diameter_mm > 0) {
    cost += std::min(1.0, std::abs(std::log(found.component.diameter_mm / *asked.size_mm)) / 5);
  }
  return cost;
}

CaseAnswer judge_tumors(const Prompt& prompt, const std::vector<FoundTumor>& found) {
  CaseAnswer answer;
  answer.id = prompt.id;
  answer.prompt = prompt;
  answer.found = found;
  answer.judged = prompt.tumors.has_value();
  if (!answer.judged) return answer;
  answer.asks_none = prompt.tumors->empty();
  answer.asked = one_by_one(*prompt.tumors);
  match(answer.asked, found);
  answer.organs = count_by_organ(*prompt.tumors, found);
  return answer;
}

}  // namespace guidegen
