#include "guidegen/data/random_prompts.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "guidegen/data/phantom.hpp"

namespace guidegen {
namespace {

std::map<TumorPosition, int> groups_by_position(const std::vector<Prompt>& prompts) {
  std::map<TumorPosition, int> groups;
  for (const Prompt& prompt : prompts) {
    for (const TumorRequest& tumor : *prompt.tumors) ++groups[tumor.position.value()];
  }
  return groups;
}

TEST(RandomPrompts, AreWholeValidAndEachThemselves) {
  const std::vector<Prompt> prompts = draw_prompts({300, 5, false});
  std::set<std::string> ids;
  for (const Prompt& prompt : prompts) {
    EXPECT_TRUE(ids.insert(prompt.id).second);
    EXPECT_TRUE(prompt.sex && prompt.age && prompt.race && prompt.contrast);
    EXPECT_EQ(prompt_from_json(to_json(prompt), "drawn"), prompt);
    for (const TumorRequest& tumor : *prompt.tumors) {
      EXPECT_TRUE(tumor.position && tumor.count && tumor.size_mm);
    }
  }
  EXPECT_EQ(ids.size(), 300U);
}

TEST(RandomPrompts, LongerListsStartWithShorterOnes) {
  for (const bool balanced : {false, true}) {
    const std::vector<Prompt> few = draw_prompts({10, 5, balanced});
    std::vector<Prompt> many = draw_prompts({40, 5, balanced});
    many.resize(10);
    EXPECT_EQ(few, many);
    EXPECT_NE(few, draw_prompts({10, 6, balanced}));
  }
}

TEST(RandomPrompts, NoTumorInAQuarterOfThem) {
  const std::vector<Prompt> prompts = draw_prompts({2000, 1, false});
  const auto none = std::count_if(prompts.begin(), prompts.end(),
                                  [](const Prompt& prompt) { return prompt.tumors->empty(); });
  EXPECT_NEAR(static_cast<double>(none) / 2000, 0.25, 0.03);
  EXPECT_EQ(groups_by_position(prompts).size(), static_cast<size_t>(kTumorPositionCount));
}

TEST(RandomPrompts, BalancedOnesCoverOrgansAndPositionsEvenly) {
  const std::vector<Prompt> prompts = draw_prompts({400, 1, true});
  std::map<size_t, int> prompts_by_groups;
  for (const Prompt& prompt : prompts) ++prompts_by_groups[prompt.tumors->size()];
  EXPECT_EQ(prompts_by_groups[0], 100);
  std::map<TumorOrgan, std::pair<int, int>> range;  // fewest and most groups at a position
  std::map<TumorOrgan, int> total;
  for (const auto& [position, groups] : groups_by_position(prompts)) {
    auto& [low, high] = range.try_emplace(organ_of(position), groups, groups).first->second;
    low = std::min(low, groups);
    high = std::max(high, groups);
    total[organ_of(position)] += groups;
  }
  // Two groups of one prompt that fall on one position are joined: now and then one is less.
  for (const auto& [organ, bounds] : range) {
    EXPECT_LE(bounds.second - bounds.first, 3) << name_of(organ);
    EXPECT_NEAR(total[organ], 76, 4) << name_of(organ);
  }
}

TEST(RandomPrompts, DescribeWhomThePhantomOfThatNameIs) {
  const std::vector<Prompt> all = draw_prompts({20, 12, false});
  const Prompt drawn = *std::find_if(all.begin(), all.end(),
                                     [](const Prompt& prompt) { return !prompt.tumors->empty(); });
  PhantomRequest request;
  request.seed = 12;
  request.case_id = drawn.id;
  request.geometry = centered_geometry({64, 64, 80}, {6, 6, 6});
  const Prompt painted = make_phantom(request, Vocabulary::load("torso")).prompt;
  EXPECT_EQ(drawn.sex, painted.sex);
  EXPECT_EQ(drawn.age, painted.age);
  EXPECT_EQ(drawn.contrast, painted.contrast);
  ASSERT_EQ(drawn.tumors->size(), painted.tumors->size());
  for (size_t i = 0; i < drawn.tumors->size(); ++i) {
    EXPECT_EQ(drawn.tumors->at(i).position, painted.tumors->at(i).position);
    EXPECT_NEAR(*drawn.tumors->at(i).size_mm, *painted.tumors->at(i).size_mm, 4);
  }
}

}  // namespace
}  // namespace guidegen
