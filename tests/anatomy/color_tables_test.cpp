#include "guidegen/anatomy/color_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace guidegen {
namespace {

using testing::HasSubstr;

TEST(ColorTables, SlicerGetsIdNameAndColor) {
  const Vocabulary torso = Vocabulary::load("torso");
  std::istringstream table(slicer_color_table(torso));
  std::string line;
  std::getline(table, line);
  EXPECT_EQ(line.front(), '#');
  for (const LabelInfo& label : torso.labels()) {
    int id = -1;
    std::string name;
    std::array<int, 4> rgba{};
    table >> id >> name >> rgba[0] >> rgba[1] >> rgba[2] >> rgba[3];
    EXPECT_EQ(id, label.id);
    EXPECT_EQ(name, label.name);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(rgba[i], label.color[i]);
    EXPECT_EQ(rgba[3], id == 0 ? 0 : 255);
  }
  EXPECT_TRUE(table.good());
}

TEST(ColorTables, ItkSnapGetsVisibilityAndQuotedName) {
  const Vocabulary torso = Vocabulary::load("torso");
  const std::string text = itksnap_label_descriptions(torso);
  EXPECT_THAT(text, HasSubstr("\n0 0 0 0 0 0 0 \"background\"\n"));
  EXPECT_THAT(text, HasSubstr("\n29 144 238 80 1 1 1 \"tumor\"\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '"'), 60);
}

}  // namespace
}  // namespace guidegen
