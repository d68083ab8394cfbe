#include "core/error_matchers.hpp"
#include "guidegen/volume/preview.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;
using volume_testing::slurp;
using volume_testing::spill;

Picture counting_picture(int64_t width, int64_t height) {
  Picture picture{width, height, {}};
  for (int64_t i = 0; i < 3 * width * height; ++i) {
    picture.rgb.push_back(static_cast<uint8_t>(i * 7 % 251));
  }
  return picture;
}

TEST(PngRead, GivesBackWhatWasWritten) {
  TemporaryFolder folder;
  const Picture written = counting_picture(13, 5);
  write_png(folder / "a.png", written);
  const Picture read = read_png(folder / "a.png");
  EXPECT_EQ(read.width, 13);
  EXPECT_EQ(read.height, 5);
  EXPECT_EQ(read.rgb, written.rgb);
  EXPECT_EQ(png_size(folder / "a.png"), (std::array<int64_t, 2>{13, 5}));
}

TEST(PngRead, RefusesWhatIsNoPicture) {
  TemporaryFolder folder;
  const auto reading = [&folder](const std::string& bytes) {
    spill(folder / "a.png", bytes);
    return [&folder] { read_png(folder / "a.png"); };
  };
  write_png(folder / "whole.png", counting_picture(40, 30));
  const std::string whole = slurp(folder / "whole.png");
  EXPECT_THAT(reading(""), throws_failure(HasSubstr("a.png: is no PNG file")));
  EXPECT_THAT(reading(std::string(100, 'x')), throws_failure(HasSubstr("is no PNG file")));
  EXPECT_THAT(reading(whole.substr(0, 23)), throws_failure(HasSubstr("is no PNG file")));
  EXPECT_THAT(reading(whole.substr(0, whole.size() / 2)), throws_failure(HasSubstr("a.png")));
  std::string wide = whole;
  wide[16] = '\x7F';
  EXPECT_THAT(reading(wide), throws_failure(HasSubstr("expected at most 32768 a side")));
  std::string gray = whole;
  gray[25] = '\0';  // the color type; the chunk's CRC is wrong then, too
  EXPECT_THAT(reading(gray), throws_failure(HasSubstr("a.png")));
}

TEST(PngRead, ShrinkingTakesMeansOfAreas) {
  Picture picture{4, 4, std::vector<uint8_t>(48, 0)};
  for (size_t k = 0; k < 12; ++k) picture.rgb[k] = 100;  // the first row
  const Picture half = shrunk(picture, 2);
  EXPECT_EQ(half.width, 2);
  EXPECT_EQ(half.rgb, (std::vector<uint8_t>{50, 50, 50, 50, 50, 50, 0, 0, 0, 0, 0, 0}));
  const Picture third = shrunk(picture, 3);  // rows of 4/3: the first holds 3/4 of row 0
  EXPECT_EQ(third.width, 3);
  EXPECT_EQ(third.rgb[0], 75);
  EXPECT_EQ(third.rgb[9], 0);
  EXPECT_EQ(shrunk(picture, 4).rgb, picture.rgb);
  EXPECT_THAT([&] { shrunk(picture, 5); }, throws_failure(HasSubstr("cannot shrink")));
}

}  // namespace
}  // namespace guidegen
