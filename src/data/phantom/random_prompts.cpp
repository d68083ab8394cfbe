#include "guidegen/data/random_prompts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "data/phantom/patient.hpp"
#include "data/phantom/tumors.hpp"

namespace guidegen {
namespace {

/// Cards dealt one by one; when none is left, all are shuffled anew.
template <typename Card>
class Deck {
 public:
  explicit Deck(std::vector<Card> cards) : cards_(std::move(cards)) {}

  Card deal(RandomStream& stream) {
    if (left_ == 0) left_ = cards_.size();
    const auto chosen = static_cast<size_t>(stream.integer(static_cast<int64_t>(left_)));
    std::swap(cards_[chosen], cards_[--left_]);
    return cards_[left_];
  }

 private:
  std::vector<Card> cards_;
  size_t left_ = 0;
};

std::vector<TumorOrgan> all_organs() {
  std::vector<TumorOrgan> organs;
  for (int i = 0; i < kTumorOrganCount; ++i) organs.push_back(static_cast<TumorOrgan>(i));
  return organs;
}

/// 5, 11 and 4 of 20: the shares with which plan_tumors draws no, one and two groups.
std::vector<int> group_cards() {
  std::vector<int> cards(5, 0);
  cards.insert(cards.end(), 11, 1);
  cards.insert(cards.end(), 4, 2);
  return cards;
}

/// Deals organ and position of the groups of one prompt after the other.
class Dealer {
 public:
  explicit Dealer(uint64_t seed) : stream_(seed, "prompts", "prompt/balance") {
    for (const TumorOrgan organ : all_organs()) positions_.emplace(organ, positions_of(organ));
  }

  std::vector<TumorRequest> deal() {
    std::vector<TumorRequest> requests(static_cast<size_t>(groups_.deal(stream_)));
    for (TumorRequest& request : requests) {
      request.organ = organs_.deal(stream_);
      request.position = positions_.at(request.organ).deal(stream_);
    }
    return requests;
  }

 private:
  RandomStream stream_;
  Deck<int> groups_{group_cards()};
  Deck<TumorOrgan> organs_{all_organs()};
  std::map<TumorOrgan, Deck<TumorPosition>> positions_;
};

std::vector<TumorRequest> requests_of(const std::vector<phantom::TumorPlan>& plans) {
  std::map<TumorPosition, std::pair<int, double>> groups;  // count, sum of diameters
  for (const phantom::TumorPlan& plan : plans) {
    auto& [count, sum] = groups[plan.position];
    count += plan.count;
    sum += plan.count * plan.size_mm;
  }
  std::vector<TumorRequest> requests;
  for (const auto& [position, group] : groups) {
    TumorRequest request;
    request.organ = organ_of(position);
    request.position = position;
    request.count = group.first;
    request.size_mm = std::round(10 * group.second / group.first) / 10;
    request.stage = phantom::stage_of_size(request.organ, *request.size_mm);
    requests.push_back(request);
  }
  return requests;
}

std::string numbered_id(uint64_t seed, int64_t number) {
  char text[64];
  std::snprintf(text, sizeof text, "prompt-%llu-%06lld", static_cast<unsigned long long>(seed),
                static_cast<long long>(number));
  return text;
}

}  // namespace

std::vector<Prompt> draw_prompts(const PromptDraw& draw) {
  Dealer dealer(draw.seed);
  std::vector<Prompt> prompts;
  for (int64_t i = 1; i <= draw.count; ++i) {
    Prompt prompt;
    prompt.id = numbered_id(draw.seed, i);
    Prompt wish;
    if (draw.balanced) wish.tumors = dealer.deal();
    RandomStream patient_stream(draw.seed, prompt.id, "phantom/patient");
    const phantom::Patient patient = phantom::draw_patient(wish, patient_stream);
    prompt.sex = patient.sex;
    prompt.age = patient.age;
    prompt.race = patient.race;
    prompt.contrast = patient.contrast;
    RandomStream plan_stream(draw.seed, prompt.id, "phantom/tumor-plan");
    prompt.tumors = requests_of(phantom::plan_tumors(wish, plan_stream));
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

}  // namespace guidegen
