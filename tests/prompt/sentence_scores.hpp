#pragma once

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// One field of a prompt in which two prompts can differ: "tumors.organ" -> "kidney".
struct FieldPair {
  std::string field;
  std::string expected;  ///< empty: absent
  std::string got;
};

inline std::vector<std::string> tumor_fields(const TumorRequest& tumor) {
  std::ostringstream size;
  if (tumor.size_mm) size << *tumor.size_mm;
  return {name_of(tumor.organ), tumor.position ? name_of(*tumor.position) : "",
          tumor.count ? std::to_string(*tumor.count) : "", size.str(), tumor.stage.value_or("")};
}

/// How well a group read fits an expected one: organ and position first, as the labels ask.
inline int likeness(const TumorRequest& a, const TumorRequest& b) {
  if (a.organ != b.organ) return -1;
  int points = a.position == b.position ? 100 : 0;
  points += a.size_mm && b.size_mm && std::abs(*a.size_mm - *b.size_mm) < 0.05 ? 10 : 0;
  return points + (a.count == b.count ? 2 : 0) + (a.stage == b.stage ? 1 : 0);
}

inline void compare_groups(const TumorRequest* expected, const TumorRequest* got,
                           std::vector<FieldPair>& pairs) {
  static const std::vector<std::string> names{"organ", "position", "count", "size_mm", "stage"};
  const std::vector<std::string> nothing(names.size());
  const std::vector<std::string> left = expected ? tumor_fields(*expected) : nothing;
  const std::vector<std::string> right = got ? tumor_fields(*got) : nothing;
  for (size_t i = 0; i < names.size(); ++i) {
    if (left[i].empty() && right[i].empty()) continue;
    pairs.push_back({"tumors." + names[i], left[i], right[i]});
  }
}

/// Field by field; tumor groups are matched greedily, the most alike first.
inline std::vector<FieldPair> compare_fields(const Prompt& expected, const Prompt& got) {
  std::vector<FieldPair> pairs;
  const auto compare = [&](const std::string& field, const auto& a, const auto& b,
                           const auto& words) {
    if (a || b) pairs.push_back({field, a ? words(*a) : "", b ? words(*b) : ""});
  };
  const auto name = [](auto value) { return name_of(value); };
  compare("sex", expected.sex, got.sex, name);
  compare("age", expected.age, got.age, [](int age) { return std::to_string(age); });
  compare("race", expected.race, got.race, name);
  compare("contrast", expected.contrast, got.contrast, name);
  const auto none = [](const Prompt& prompt) {
    return prompt.tumors && prompt.tumors->empty() ? std::string("none") : std::string();
  };
  if (!none(expected).empty() || !none(got).empty()) {
    pairs.push_back({"no tumors", none(expected), none(got)});
  }
  const std::vector<TumorRequest> wanted = expected.tumors.value_or(std::vector<TumorRequest>());
  const std::vector<TumorRequest> read = got.tumors.value_or(std::vector<TumorRequest>());
  std::vector<bool> wanted_done(wanted.size());
  std::vector<bool> read_done(read.size());
  while (true) {
    int best = -1;
    size_t at = 0;
    size_t to = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      for (size_t j = 0; j < read.size(); ++j) {
        if (wanted_done[i] || read_done[j] || likeness(wanted[i], read[j]) <= best) continue;
        best = likeness(wanted[i], read[j]);
        at = i;
        to = j;
      }
    }
    if (best < 0) break;
    wanted_done[at] = read_done[to] = true;
    compare_groups(&wanted[at], &read[to], pairs);
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted_done[i]) compare_groups(&wanted[i], nullptr, pairs);
  }
  for (size_t j = 0; j < read.size(); ++j) {
    if (!read_done[j]) compare_groups(nullptr, &read[j], pairs);
  }
  return pairs;
}

/// Precision and recall of every field over many sentences.
class SentenceScores {
 public:
  /// Whether all fields of the sentence are right.
  bool add(const Prompt& expected, const Prompt& got) {
    bool all = true;
    for (const FieldPair& pair : compare_fields(expected, got)) {
      Tally& tally = tallies_[pair.field];
      const bool right = pair.expected == pair.got;
      tally.expected += pair.expected.empty() ? 0 : 1;
      tally.got += pair.got.empty() ? 0 : 1;
      tally.right += right ? 1 : 0;
      ++pairs_;
      right_ += right ? 1 : 0;
      all = all && right;
    }
    ++sentences_;
    whole_ += all ? 1 : 0;
    return all;
  }

  /// Of all fields that are expected or were read, those that are the same.
  double share_right() const { return ratio(right_, pairs_); }

  std::string table() const {
    std::ostringstream out;
    out << std::fixed << std::setprecision(1);
    out << "field              expected  read  precision %  recall %\n";
    for (const auto& [field, tally] : tallies_) {
      out << std::left << std::setw(18) << field << std::right << std::setw(9) << tally.expected
          << std::setw(6) << tally.got << std::setw(13) << 100 * ratio(tally.right, tally.got)
          << std::setw(10) << 100 * ratio(tally.right, tally.expected) << "\n";
    }
    out << "fields right: " << right_ << " of " << pairs_ << " (" << 100 * share_right()
        << " %); sentences wholly right: " << whole_ << " of " << sentences_ << " ("
        << 100 * ratio(whole_, sentences_) << " %)\n";
    return out.str();
  }

 private:
  struct Tally {
    int expected = 0;
    int got = 0;
    int right = 0;
  };
  static double ratio(int part, int whole) {
    return whole == 0 ? 1.0 : static_cast<double>(part) / whole;
  }

  std::map<std::string, Tally> tallies_;
  int pairs_ = 0;
  int right_ = 0;
  int sentences_ = 0;
  int whole_ = 0;
};

}  // namespace guidegen
