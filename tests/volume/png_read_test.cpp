#include <cstdlib>

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
  EXPECT_THAT(reading(""), throws_failure(HasSubstr("a.png: no PNG file")));
  EXPECT_THAT(reading(std::string(100, 'x')), throws_failure(HasSubstr("no PNG file")));
  EXPECT_THAT(reading(whole.substr(0, 23)), throws_failure(HasSubstr("no PNG file")));
  EXPECT_THAT(reading(whole.substr(0, whole.size() / 2)), throws_failure(HasSubstr("cut short")));
  for (const size_t at : {16, 25, 60}) {  // width, color type, pixels: their sums are wrong then
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_THAT(reading(damaged), throws_failure(HasSubstr("damaged"))) << at;
  }
}

TEST(PngRead, ReadsWhatOthersWrite) {
  const char* chosen = std::getenv("GUIDEGEN_PYTHON");
  const std::string python = chosen && *chosen ? chosen : "python3";
  TemporaryFolder folder;
  // A smooth picture, for which Pillow takes all kinds of filters.
  const std::string program =
      "import sys; from PIL import Image\n"
      "picture = Image.new('RGB', (90, 70))\n"
      "picture.putdata([((x * x + y) // 9 % 256, x * y % 256, (x + y * y) // 5 % 256)\n"
      "                 for y in range(70) for x in range(90)])\n"
      "picture.save(sys.argv[1] + '/a.png')\n"
      "open(sys.argv[1] + '/a.rgb', 'wb').write(picture.tobytes())\n";
  spill(folder / "make.py", program);
  const std::string make = python + " " + (folder / "make.py").string() + " ";
  if (std::system((python + " -c 'import PIL' 2> /dev/null").c_str()) != 0) {
    GTEST_SKIP() << "Pillow is missing; set GUIDEGEN_PYTHON to a Python that has it";
  }
  ASSERT_EQ(std::system((make + folder.path().string()).c_str()), 0);
  const std::string pixels = slurp(folder / "a.rgb");
  const Picture read = read_png(folder / "a.png");
  EXPECT_EQ(std::string(read.rgb.begin(), read.rgb.end()), pixels);
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
