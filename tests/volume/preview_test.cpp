#include "guidegen/volume/preview.hpp"

#include <zlib.h>

#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;
using volume_testing::message_of;
using Color = std::array<uint8_t, 3>;

Color pixel(const Picture& picture, int64_t row, int64_t column) {
  const auto at = static_cast<size_t>(3 * (row * picture.width + column));
  return {picture.rgb.at(at), picture.rgb.at(at + 1), picture.rgb.at(at + 2)};
}

/// Air with a mask of nothing: 20 x 12 x 30 voxels of 2 x 4 x 3 mm, so 40 x 48 x 90 mm.
struct Scene {
  Vocabulary vocabulary = Vocabulary::load("torso");
  Volume ct{at::full({1, 30, 12, 20}, -1024.0F), centered_geometry({20, 12, 30}, {2, 4, 3})};
  Volume mask{at::zeros({1, 30, 12, 20}, at::kByte), ct.geometry};
};

// At 90 pixels for 90 mm a pixel is a millimeter: panels of 40 x 48, 40 x 90 and 48 x 90 pixels.
constexpr int64_t kAxialTop = (90 - 48) / 2;
constexpr int64_t kCoronalLeft = 40 + 4;
constexpr int64_t kSagittalLeft = kCoronalLeft + 40 + 4;

PreviewOptions millimeters() {
  PreviewOptions options;
  options.height = 90;
  options.planes = {10, 6, 15};
  return options;
}

TEST(Preview, PanelsAreSquareInMillimeters) {
  const Scene scene;
  const Picture picture = render_preview(&scene.ct, nullptr, scene.vocabulary, millimeters());
  EXPECT_EQ(picture.width, 40 + 4 + 40 + 4 + 48);
  EXPECT_EQ(picture.height, 90);
  const Picture both = render_preview(&scene.ct, &scene.mask, scene.vocabulary, millimeters());
  EXPECT_EQ(both.height, 90 + 4 + 90);
}

TEST(Preview, PatientRightIsOnTheLeftAndTheHeadIsUp) {
  Scene scene;
  const int liver = scene.vocabulary.id("liver");
  const int spleen = scene.vocabulary.id("spleen");
  const int heart = scene.vocabulary.id("heart");
  const int spine = scene.vocabulary.id("spine");
  // Index planes are 10, 6, 15; x grows to the right, y to anterior, z to the head.
  scene.mask.data[0][15][6].slice(0, 16, 20).fill_(liver);                     // patient's right
  scene.mask.data[0][15][6].slice(0, 0, 4).fill_(spleen);                      // patient's left
  scene.mask.data.slice(1, 26, 30).select(2, 6).slice(2, 8, 12).fill_(heart);  // head end
  scene.mask.data[0][15].slice(0, 0, 3).slice(1, 8, 12).fill_(spine);          // posterior
  const Picture picture = render_preview(nullptr, &scene.mask, scene.vocabulary, millimeters());
  const auto color = [&](int id) { return scene.vocabulary.label(id).color; };
  const int64_t axial_row = kAxialTop + (11 - 6) * 4 + 2;
  EXPECT_EQ(pixel(picture, axial_row, 1), color(liver));
  EXPECT_EQ(pixel(picture, axial_row, 38), color(spleen));
  EXPECT_EQ(pixel(picture, kAxialTop + 46, 20), color(spine)) << "posterior is down";
  const int64_t coronal_row = (29 - 15) * 3 + 1;
  EXPECT_EQ(pixel(picture, coronal_row, kCoronalLeft + 1), color(liver));
  EXPECT_EQ(pixel(picture, coronal_row, kCoronalLeft + 38), color(spleen));
  EXPECT_EQ(pixel(picture, 1, kCoronalLeft + 20), color(heart)) << "the head is up";
  EXPECT_EQ(pixel(picture, coronal_row, kSagittalLeft + 46), color(spine)) << "anterior is left";
  EXPECT_EQ(pixel(picture, 45, 5), (Color{0, 0, 0})) << "background is black";
}

TEST(Preview, ForeignOrientationLooksTheSame) {
  Scene scene;
  scene.ct.data = at::linspace(-160, 240, 30 * 12 * 20).view({1, 30, 12, 20});
  const Volume lps{scene.ct.data.flip({2, 3}).contiguous(), scene.ct.geometry};
  Volume turned = lps;
  turned.geometry.direction = {{{-1, 0, 0}, {0, -1, 0}, {0, 0, 1}}};
  EXPECT_EQ(render_preview(&scene.ct, nullptr, scene.vocabulary, millimeters()).rgb,
            render_preview(&turned, nullptr, scene.vocabulary, millimeters()).rgb);
}

TEST(Preview, WindowMapsHuToGray) {
  Scene scene;
  for (const auto& [hu, gray] :
       std::map<float, uint8_t>{{-500, 0}, {-160, 0}, {40, 128}, {240, 255}, {2000, 255}}) {
    scene.ct.data.fill_(hu);
    const Picture picture = render_preview(&scene.ct, nullptr, scene.vocabulary, millimeters());
    EXPECT_EQ(pixel(picture, 45, 20), (Color{gray, gray, gray})) << hu;
  }
}

TEST(Preview, PlanesFollowTheLargestTumor) {
  Scene scene;
  const int tumor = scene.vocabulary.tumor();
  scene.mask.data.slice(1, 3, 6).slice(2, 1, 4).slice(3, 14, 18).fill_(tumor);
  scene.mask.data[0][25][10][2] = tumor;
  PreviewOptions options = millimeters();
  options.planes = {-1, -1, -1};
  const Picture picture = render_preview(nullptr, &scene.mask, scene.vocabulary, options);
  // Axial plane 4, tumor at x 14...17 and y 1...3.
  EXPECT_EQ(pixel(picture, kAxialTop + (11 - 2) * 4 + 2, (19 - 15) * 2),
            scene.vocabulary.label(tumor).color);
}

TEST(Preview, WrongInputsAreRefused) {
  Scene scene;
  EXPECT_THAT(message_of([&] { render_preview(nullptr, nullptr, scene.vocabulary); }),
              HasSubstr("neither"));
  PreviewOptions options = millimeters();
  options.planes = {20, 6, 15};
  EXPECT_THAT(message_of([&] { render_preview(&scene.ct, nullptr, scene.vocabulary, options); }),
              HasSubstr("plane 20 of axis x"));
  scene.mask.data[0][0][0][0] = 200;
  EXPECT_THAT(message_of([&] { render_preview(nullptr, &scene.mask, scene.vocabulary); }),
              HasSubstr("labels from 0 to 200"));
  scene.mask.geometry.origin[0] += 1;
  EXPECT_THAT(message_of([&] { render_preview(&scene.ct, &scene.mask, scene.vocabulary); }),
              HasSubstr("different grids"));
}

uint32_t be32(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t k = 0; k < 4; ++k) value = value << 8 | static_cast<uint8_t>(bytes.at(at + k));
  return value;
}

TEST(Png, DecodesToTheSamePixels) {
  Picture picture{5, 3, {}};
  for (int k = 0; k < 45; ++k) picture.rgb.push_back(static_cast<uint8_t>(k * 5));
  const std::string png = encode_png(picture);
  EXPECT_EQ(png, encode_png(picture));
  ASSERT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1A\n");
  EXPECT_EQ(be32(png, 8), 13U);
  EXPECT_EQ(png.substr(12, 4), "IHDR");
  EXPECT_EQ(be32(png, 16), 5U);
  EXPECT_EQ(be32(png, 20), 3U);
  const auto* bytes = reinterpret_cast<const Bytef*>(png.data());
  EXPECT_EQ(be32(png, 29), crc32(0, bytes + 12, 17));
  const uint32_t size = be32(png, 33);
  ASSERT_EQ(png.substr(37, 4), "IDAT");
  EXPECT_EQ(be32(png, 41 + size), crc32(0, bytes + 37, size + 4));
  std::vector<uint8_t> rows(3 * 16);
  uLongf got = rows.size();
  ASSERT_EQ(uncompress(rows.data(), &got, bytes + 41, size), Z_OK);
  ASSERT_EQ(got, rows.size());
  for (size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(rows[16 * row], 0);
    for (size_t k = 0; k < 15; ++k) EXPECT_EQ(rows[16 * row + 1 + k], picture.rgb[15 * row + k]);
  }
}

TEST(Png, RefusesAWrongByteCount) {
  EXPECT_THAT(message_of([] {
                encode_png({2, 2, std::vector<uint8_t>(11)});
              }),
              HasSubstr("2 by 2 pixels with 11 bytes"));
}

TEST(ContactSheet, PlacesPicturesAndCaptions) {
  const Picture red{30, 20, std::vector<uint8_t>(1800, 200)};
  const Picture small{10, 10, std::vector<uint8_t>(300, 90)};
  const Picture sheet = contact_sheet({red, small, red}, {"I", "", ""}, 2);
  EXPECT_EQ(sheet.width, 2 * (30 + 12));
  EXPECT_EQ(sheet.height, 2 * (20 + 18 + 12));
  EXPECT_EQ(pixel(sheet, 6, 6), (Color{200, 200, 200}));
  EXPECT_EQ(pixel(sheet, 6 + 10, 42 + 6 + 15), (Color{90, 90, 90})) << "small ones are centred";
  EXPECT_EQ(pixel(sheet, 6, 42 + 6), (Color{0, 0, 0}));
  // The "I" is three font pixels wide at top and bottom and one between.
  EXPECT_EQ(pixel(sheet, 28, 8), (Color{230, 230, 230}));
  EXPECT_EQ(pixel(sheet, 32, 8), (Color{0, 0, 0}));
  EXPECT_EQ(pixel(sheet, 32, 10), (Color{230, 230, 230}));
}

TEST(ContactSheet, LongAndForeignCaptionsStayInTheirCell) {
  const Picture cell{40, 10, std::vector<uint8_t>(1200, 0)};
  const Picture cut = contact_sheet({cell, cell}, {"abcdefghij", ""}, 2);
  EXPECT_EQ(cut.rgb, contact_sheet({cell, cell}, {"...", ""}, 2).rgb);
  EXPECT_EQ(contact_sheet({cell}, {"\xC3\xA9\n"}, 1).rgb, contact_sheet({cell}, {"??"}, 1).rgb);
  EXPECT_THAT(message_of([&] { contact_sheet({cell}, {}, 1); }), HasSubstr("one caption each"));
}

}  // namespace
}  // namespace guidegen
