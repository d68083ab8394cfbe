#include "prompt/language/groups.hpp"

#include <algorithm>
#include <cmath>

#include "prompt/language/expand.hpp"

namespace guidegen::language {
namespace {

constexpr double kSmallest = 3;
constexpr double kLargest = 150;
constexpr size_t kMostGroups = 32;

std::string reason_of(const Mention& mention) {
  if (mention.family) return "family history";
  if (mention.negated) return "negated";
  if (mention.past) return "past";
  if (mention.sought) return "to be ruled out";
  return "not a tumor";
}

template <typename T>
void fill(std::optional<Said<T>>& field, const std::optional<Said<T>>& from) {
  if (!field) field = from;
}

bool is_bare(const Group& group) { return !group.position && !group.count && !group.size_mm; }

class Collector {
 public:
  Groups run(std::vector<Mention> mentions) {
    name_unnamed(mentions);
    for (size_t i = 0; i < mentions.size(); ++i) {
      const Mention* next = i + 1 < mentions.size() ? &mentions[i + 1] : nullptr;
      take(mentions[i], next);
    }
    add_rest();
    if (pending_ && pending_->has_head) reject(pending_->span, "no organ");
    join_alike();
    if (out_.groups.size() > kMostGroups) out_.groups.resize(kMostGroups);
    for (Group& group : out_.groups) {
      if (!group.count && group.one && !group.open) group.count = {1, *group.one};
    }
    return std::move(out_);
  }

 private:
  void reject(Span span, const std::string& reason) { out_.rejected.push_back({span, reason}); }

  /// "F 68 / pancreas head / 31 mm / T2": measures of an organ are those of a tumor where the whole
  /// text has no word for any finding.
  static void name_unnamed(std::vector<Mention>& mentions) {
    bool measured = false;
    for (const Mention& mention : mentions) {
      if (mention.has_head && !mention.absent) return;
      measured = measured || !mention.sizes.empty() || mention.stage || mention.count;
    }
    for (Mention& mention : mentions) {
      if (mention.absent) continue;
      mention.has_head =
          measured && std::any_of(mention.places.begin(), mention.places.end(),
                                  [](const auto& place) { return place.value.organ.has_value(); });
    }
  }

  void take(Mention mention, const Mention* next) {
    if (!last_organ_ && next && (next->another || next->one_of_them)) {
      // "one in the tail and another in the head of the pancreas"
      for (const auto& place : next->places) last_organ_ = place.value.organ;
    }
    take_organ_from_context(mention);
    for (const auto& place : mention.places) {
      if (place.value.organ && !place.value.outside) last_organ_ = place.value.organ;
    }
    if (mention.has_head && !mention.wanted()) {
      // Of organs outside of prompts nothing follows.
      out_.denied = out_.denied || !(is_outside(mention) || mention.no_lesion);
      reject(whole_span(mention), reason_of(mention));
      last_was_wanted_ = false;
      return;
    }
    drop_impossible_sizes(mention);
    std::vector<Group> groups = expand(mention);
    if (groups.empty() && is_outside(mention)) {
      reject(whole_span(mention), "organ outside of prompts");
      last_was_wanted_ = false;
    } else if (!groups.empty() && mention.has_head) {
      add(mention, std::move(groups));
    } else if (mention.has_head || last_was_wanted_ || out_.groups.empty()) {
      say_more(std::move(mention), std::move(groups), next);
    }
  }

  static Span whole_span(const Mention& mention) {
    Span span = mention.span;
    for (const auto& place : mention.places) {
      span.begin = std::min(span.begin, place.span.begin);
      span.end = std::max(span.end, place.span.end);
    }
    return span;
  }

  static bool is_outside(const Mention& mention) {
    return std::any_of(mention.places.begin(), mention.places.end(),
                       [](const auto& place) { return place.value.outside; });
  }

  /// "one in the head", "right 2 tumors": of the organ that was spoken of.
  void take_organ_from_context(Mention& mention) const {
    if (!last_organ_ || !mention.has_head) return;
    const bool named =
        std::any_of(mention.places.begin(), mention.places.end(),
                    [](const auto& place) { return place.value.organ || place.value.outside; });
    if (named) return;
    for (auto& place : mention.places) {
      Place organ;
      organ.organ = last_organ_;
      if (const auto both = merged(place.value, organ)) place.value = *both;
    }
  }

  void drop_impossible_sizes(Mention& mention) {
    auto& sizes = mention.sizes;
    for (const auto& size : sizes) {
      if (size.value < kSmallest || size.value > kLargest) reject(size.span, "out of range");
    }
    sizes.erase(std::remove_if(sizes.begin(), sizes.end(),
                               [](const auto& size) {
                                 return size.value < kSmallest || size.value > kLargest;
                               }),
                sizes.end());
  }

  void add(const Mention& mention, std::vector<Group> groups) {
    if (pending_ && (pending_->places.empty() || !pending_->has_head)) {
      inherit(groups, *pending_);
      pending_.reset();
    }
    for (Group& group : groups) {
      if (mention.one_of_them || mention.another) {
        replace_counted(group);
      } else if (Group* same = same_tumor(mention, group)) {
        merge(*same, group);
        continue;
      }
      out_.groups.push_back(std::move(group));
    }
    last_was_wanted_ = true;
    last_sentence_ = mention.sentence;
  }

  static void inherit(std::vector<Group>& groups, const Mention& from) {
    for (Group& group : groups) {
      fill(group.stage, from.stage);
      fill(group.size_mm, size_of(from));
      for (const auto& place : from.places) refine_place(group, place);
      if (from.has_head && from.grammar == Grammar::kOne) group.one = from.span;
      if (groups.size() == 1) fill(group.count, from.count);
    }
  }

  /// "three nodules, two of them in the …": those that are not told apart.
  void add_rest() {
    if (!counted_ || !counted_->count) return;
    const int rest = counted_->count->value - members_;
    if (rest <= 0 || members_ == 0) return;
    Group others = *counted_;
    others.count = {rest, counted_->count->span};
    out_.groups.push_back(others);
    counted_.reset();
  }

  /// "two nodules of 1 cm, one in the …": the group that was counted gives way to its members.
  void replace_counted(Group& member) {
    for (auto it = out_.groups.begin(); it != out_.groups.end(); ++it) {
      if (it->organ != member.organ || it->position || !member.position) continue;
      add_rest();
      counted_ = *it;
      members_ = 0;
      out_.groups.erase(it);
      break;
    }
    if (!counted_ || counted_->organ != member.organ) return;
    members_ += member.count ? member.count->value : 1;
    fill(member.size_mm, counted_->size_mm);
    fill(member.stage, counted_->stage);
  }

  /// "one in segment 5, one in segment 6": two on the right.
  void join_alike() {
    std::vector<Group> joined;
    for (Group& group : out_.groups) {
      const auto same = std::find_if(joined.begin(), joined.end(), [&](const Group& other) {
        return other.organ == group.organ && other.position && group.position && other.count &&
               group.count && other.position->value == group.position->value && !other.stage &&
               !group.stage && other.size_mm.has_value() == group.size_mm.has_value() &&
               (!group.size_mm || other.size_mm->value == group.size_mm->value);
      });
      if (same == joined.end()) {
        joined.push_back(std::move(group));
      } else {
        same->count->value += group.count->value;
      }
    }
    out_.groups = std::move(joined);
  }

  static void merge(Group& group, const Group& other) {
    fill(group.position, other.position);
    fill(group.count, other.count);
    fill(group.size_mm, other.size_mm);
    fill(group.stage, other.stage);
    if (!group.one) group.one = other.one;
    group.open = group.open || other.open;
  }

  /// The group that the mention is about again, if it is.
  Group* same_tumor(const Mention& mention, const Group& group) {
    for (auto it = out_.groups.rbegin(); it != out_.groups.rend(); ++it) {
      if (it->organ != group.organ || !agree(it->position, group.position)) continue;
      // "multiple nodules in both lungs and one 3 cm mass in the right lower lobe"
      const bool further = it->several && mention.count && mention.count->value == 1 &&
                           mention.has_head && !mention.definite && mention.sizes.size() == 1;
      if (further) continue;
      const bool known = mention.definite || is_bare(*it) || is_bare(group);
      const bool differs = !agree(it->size_mm, group.size_mm) || !agree(it->count, group.count);
      if (!differs || (known && !differs)) return &*it;
    }
    return nullptr;
  }

  /// What says no organ: more of the last tumor, or of the next where there is none yet.
  void say_more(Mention mention, std::vector<Group> groups, const Mention* next) {
    const bool about_next = mention.label && mention.stage && !mention.has_head && next &&
                            next->has_head && next->sentence == mention.sentence + 1;
    if (out_.groups.empty() || about_next) {
      keep_for_next(std::move(mention), std::move(groups));
      return;
    }
    if (!mention.has_head && !groups.empty()) {
      for (const Group& group : groups) {
        if (!refine(group)) add_told_apart(group);
      }
      return;
    }
    Group& last = out_.groups.back();
    for (const auto& place : mention.places) refine_place(last, place);
    if (tell_sizes_apart(mention)) return;
    // "nephroblastoma on the left; 9.5 cm": a size of its own
    const bool single = last.disease && !last.size_mm && !mention.largest;
    if (single && mention.sizes.size() == 1 && !mention.has_head) last.one = mention.sizes[0].span;
    fill(last.size_mm, size_of(mention));
    fill(staged().stage, mention.stage);
    say_count(mention, last);
  }

  /// "Two masses. Sizes 2 and 3 cm."
  bool tell_sizes_apart(const Mention& mention) {
    Group pattern = out_.groups.back();
    const bool each = !mention.has_head && !mention.largest && mention.sizes.size() > 1 &&
                      !pattern.size_mm && pattern.count &&
                      pattern.count->value == static_cast<int>(mention.sizes.size());
    if (!each) return false;
    out_.groups.pop_back();
    pattern.count->value = 1;
    for (const auto& size : mention.sizes) {
      pattern.size_mm = size;
      out_.groups.push_back(pattern);
    }
    return true;
  }

  /// Whose stage is told in a sentence of its own.
  Group& staged() {
    const auto cancer =
        std::find_if(out_.groups.begin(), out_.groups.end(),
                     [](const Group& group) { return group.disease && !group.stage; });
    const bool of_last = out_.groups.back().disease || cancer == out_.groups.end();
    return of_last ? out_.groups.back() : *cancer;
  }

  /// "four lesions: three are cysts, one is a metastasis": the member takes the place of all.
  void say_count(const Mention& mention, Group& group) {
    if ((mention.largest && !mention.has_head) || mention.one_of_them) return;
    const bool member = mention.has_head && mention.count && group.count &&
                        group.count->value > mention.count->value &&
                        mention.sentence == last_sentence_ && !mention.definite;
    if (member) group.count = mention.count;
    fill(group.count, mention.count);
    if (mention.has_head && mention.grammar != Grammar::kDisease && !group.one) {
      group.one = mention.grammar == Grammar::kOne ? std::optional(mention.span) : std::nullopt;
      group.open = group.open || mention.grammar == Grammar::kMany;
    }
  }

  void keep_for_next(Mention mention, std::vector<Group> groups) {
    if (pending_ && pending_->has_head && !groups.empty()) {
      // "There is a mass. It is in the left kidney."
      inherit(groups, *pending_);
      for (Group& group : groups) out_.groups.push_back(std::move(group));
      pending_.reset();
      last_was_wanted_ = true;
    } else if (pending_ && !mention.has_head) {
      fill(pending_->stage, mention.stage);
      fill(pending_->count, mention.count);
      pending_->places.insert(pending_->places.end(), mention.places.begin(), mention.places.end());
      pending_->sizes.insert(pending_->sizes.end(), mention.sizes.begin(), mention.sizes.end());
    } else if (groups.empty()) {
      if (pending_) {
        fill(mention.stage, pending_->stage);
        fill(mention.count, pending_->count);
      }
      pending_ = std::move(mention);
    }
  }

  /// "Position: right kidney."
  bool refine(const Group& group) {
    for (auto it = out_.groups.rbegin(); it != out_.groups.rend(); ++it) {
      if (it->organ != group.organ || !agree(it->position, group.position)) continue;
      merge(*it, group);
      return true;
    }
    return false;
  }

  /// "Two masses: right kidney 45 mm; left kidney 22 mm."
  void add_told_apart(const Group& group) {
    Group& last = out_.groups.back();
    const bool further = group.size_mm && group.position && last.size_mm && last.position &&
                         last.organ == group.organ && last.count && last.count->value > 1;
    if (!further) return;
    Group other = group;
    other.count = {1, group.size_mm->span};
    --last.count->value;
    out_.groups.push_back(std::move(other));
  }

  static void refine_place(Group& group, const Said<Place>& place) {
    Place organ;
    organ.organ = group.organ;
    const auto both = merged(organ, place.value);
    if (!both || group.position) return;
    if (const auto position = position_of(*both)) group.position = {*position, place.span};
  }

  Groups out_;
  std::optional<Mention> pending_;  // tumors without an organ yet
  std::optional<TumorOrgan> last_organ_;
  std::optional<Group> counted_;  // replaced by its members
  int members_ = 0;               // of the counted
  bool last_was_wanted_ = false;
  size_t last_sentence_ = 0;
};

}  // namespace

Groups groups_of(const std::vector<Mention>& mentions) { return Collector().run(mentions); }

}  // namespace guidegen::language
