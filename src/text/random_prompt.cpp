#include <algorithm>
#include <cmath>

#include "guidegen/text/text_corpus.hpp"

namespace guidegen {

namespace {

constexpr double kOpen = 0.25;  // share of prompts that leave a field open

std::string random_stage(RandomStream& stream) {
  static const std::vector<std::string> kStages{"T1",  "T1a", "T1b", "T1c", "T2",   "T2a",  "T2b",
                                                "T3",  "T3a", "T4",  "Tis", "I",    "IA",   "IB",
                                                "IIA", "IIB", "II",  "III", "IIIA", "IIIB", "IV"};
  return kStages[static_cast<size_t>(stream.integer(static_cast<int64_t>(kStages.size())))];
}

TumorRequest random_request(TumorOrgan organ, RandomStream& stream) {
  TumorRequest request;
  request.organ = organ;
  const auto places = positions_of(organ);
  const auto place = static_cast<size_t>(stream.integer(static_cast<int64_t>(places.size())));
  if (!stream.flip(kOpen)) request.position = places[place];
  const auto count = static_cast<int>(1 + stream.choice({0.55, 0.22, 0.12, 0.06, 0.03, 0.02}));
  if (!stream.flip(kOpen)) request.count = count;
  const double size = std::clamp(30.0 * std::exp(stream.normal(0.0, 0.5)), 5.0, 120.0);
  if (!stream.flip(0.35)) request.size_mm = std::round(size);
  if (stream.flip(0.35)) request.stage = random_stage(stream);
  return request;
}

}  // namespace

Prompt random_prompt(RandomStream& stream) {
  Prompt prompt;
  const bool male = stream.flip(0.5);
  if (!stream.flip(kOpen)) prompt.sex = male ? Sex::kMale : Sex::kFemale;
  const auto age = static_cast<int>(18 + stream.integer(76));
  if (!stream.flip(kOpen)) prompt.age = age;
  const auto race = static_cast<Race>(stream.integer(5));
  if (stream.flip(0.5)) prompt.race = race;
  const auto contrast = static_cast<ContrastPhase>(stream.integer(4));
  if (stream.flip(0.6)) prompt.contrast = contrast;
  if (stream.flip(0.1)) return prompt;
  const auto groups = stream.choice({0.2, 0.5, 0.22, 0.08});
  std::vector<TumorOrgan> organs;
  for (int i = 0; i < kTumorOrganCount; ++i) organs.push_back(static_cast<TumorOrgan>(i));
  prompt.tumors.emplace();
  for (int64_t i = 0; i < groups; ++i) {
    const auto at = static_cast<size_t>(stream.integer(static_cast<int64_t>(organs.size())));
    prompt.tumors->push_back(random_request(organs[at], stream));
    // Two groups in one organ are drawn now and then.
    if (stream.flip(0.8)) organs.erase(organs.begin() + static_cast<int64_t>(at));
  }
  return prompt;
}

}  // namespace guidegen
