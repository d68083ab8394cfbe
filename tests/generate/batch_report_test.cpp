#include "guidegen/generate/batch_report.hpp"

#include <gmock/gmock.h>

#include "core/temporary_folder.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

class BatchReport : public testing::Test {
 protected:
  /// A case whose preview is of one color, and whose volumes are no files that anyone can read.
  void add_case(const std::string& id, uint8_t gray) {
    fs::create_directories(out_ / id);
    write_png(out_ / id / "preview.png", {300, 520, std::vector<uint8_t>(3 * 300 * 520, gray)});
    write_file_atomic(out_ / id / "mask.nii.gz", "no volume");
    write_file_atomic(out_ / id / "ct.nii.gz", "no volume");
    records_.push_back({{"id", id}, {"text", "a text"}, {"gates_passed", true}});
  }
  void write() { write_batch_report(out_.path(), records_, vocabulary_); }

  TemporaryFolder out_;
  Vocabulary vocabulary_ = Vocabulary::load("torso");
  std::vector<Json> records_;
};

TEST_F(BatchReport, ShowsThePreviewsAndReadsNoVolume) {
  add_case("a", 200);
  add_case("b", 90);
  write();
  const Picture sheet = read_png(out_ / "contact_sheet.png");
  EXPECT_EQ(sheet.rgb[static_cast<size_t>(3 * (100 * sheet.width + 100))], 200);
  EXPECT_EQ(sheet.rgb[static_cast<size_t>(3 * (100 * sheet.width + sheet.width - 100))], 90);
  EXPECT_THAT(read_file(out_ / "index.html"), testing::HasSubstr("\"picture\":[300,520]"));
}

TEST_F(BatchReport, IsWrittenAnewWhenACaseComesAndNotOtherwise) {
  add_case("a", 200);
  write();
  const std::string page = read_file(out_ / "index.html");
  const auto written = fs::last_write_time(out_ / "index.html");
  write();
  EXPECT_EQ(fs::last_write_time(out_ / "index.html"), written);
  add_case("b", 90);
  write();
  EXPECT_NE(read_file(out_ / "index.html"), page);
  records_.pop_back();
  write();
  EXPECT_EQ(read_file(out_ / "index.html"), page);
}

TEST_F(BatchReport, DamagedPreviewsAreMadeAnew) {
  const ImageGeometry grid = centered_geometry({8, 8, 8}, {10, 10, 10});
  for (const std::string damage : {"", "\x89PNG", "no picture"}) {
    add_case("a", 10);
    write_mask(out_ / "a/mask.nii.gz", {at::full({1, 8, 8, 8}, 6, at::kByte), grid});
    write_ct(out_ / "a/ct.nii.gz", {at::zeros({1, 8, 8, 8}), grid});
    const std::string whole = read_file(out_ / "a/preview.png");
    write_file_atomic(out_ / "a/preview.png", damage == "\x89PNG" ? whole.substr(0, 60) : damage);
    fs::remove(out_ / "contact_sheet.png");
    write();
    EXPECT_NE(read_png(out_ / "a/preview.png").width, 300) << damage;
    records_.clear();
  }
}

TEST_F(BatchReport, TellsTheLabels) {
  add_case("a", 200);
  write();
  for (const char* name : {"labels.ctbl", "labels.label"}) {
    EXPECT_THAT(read_file(out_ / name), testing::HasSubstr("kidney_left")) << name;
  }
  EXPECT_EQ(Vocabulary::load((out_ / "vocabulary.json").string()).document(),
            vocabulary_.document());
}

}  // namespace
}  // namespace guidegen
