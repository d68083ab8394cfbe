#include "guidegen/volume/dicom.hpp"

#include <algorithm>
#include <set>

#include "core/error_matchers.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using volume_testing::counting_volume;
using volume_testing::oblique_geometry;
using volume_testing::slurp;

class Dicom : public ::testing::Test {
 protected:
  Dicom() { mask_.data = at::ones_like(ct_.data).to(at::kByte); }

  DicomSeries write(const std::string& name, const Volume& ct, const DicomStudy& study) {
    make_directories(folder_ / name);
    return write_dicom_ct(folder_ / name, ct, study);
  }
  void write_mask_of(const DicomSeries& series) {
    write_dicom_segmentation(folder_ / "seg.dcm", mask_, series, vocabulary_);
  }

  TemporaryFolder folder_;
  Vocabulary vocabulary_ = Vocabulary::load("torso");
  Volume ct_ = counting_volume(oblique_geometry(0.3));
  Volume mask_{{}, ct_.geometry};
  DicomStudy study_{"case", "a text", "M", 62, "", ""};
};

TEST_F(Dicom, EqualCasesAreEqualFilesAndOthersShareNoUid) {
  const DicomSeries series = write("a", ct_, study_);
  EXPECT_THAT(series.instance_uids, SizeIs(5));
  write("b", ct_, study_);
  for (const char* name : {"0001.dcm", "0005.dcm"}) {
    EXPECT_EQ(slurp(folder_.path() / "a" / name), slurp(folder_.path() / "b" / name)) << name;
  }
  std::set<std::string> uids;
  const auto collect = [&uids](const DicomSeries& written) {
    uids.insert({written.study_uid, written.series_uid, written.frame_of_reference_uid});
    uids.insert(written.instance_uids.begin(), written.instance_uids.end());
  };
  collect(series);
  DicomStudy other = study_;
  other.case_id = "other";
  collect(write("c", ct_, other));
  Volume brighter = ct_;
  brighter.data = ct_.data + 1;
  collect(write("d", brighter, study_));
  Volume moved = ct_;
  moved.geometry.origin[2] += 1;
  collect(write("e", moved, study_));
  EXPECT_EQ(uids.size(), 4U * 8U);
  for (const std::string& uid : uids) {
    EXPECT_TRUE(uid.starts_with("2.25.") && uid.size() <= 44 && uid[5] != '0') << uid;
    EXPECT_TRUE(std::all_of(uid.begin() + 5, uid.end(), [](char c) {
      return c >= '0' && c <= '9';
    })) << uid;
  }
}

TEST_F(Dicom, SegmentationsDependOnWhereTheirVoxelsLie) {
  const DicomSeries series = write("a", ct_, study_);
  // The same bits of one frame, in another slice: only positions tell the files apart.
  std::set<std::string> files;
  for (const int64_t slice : {1, 3, 1}) {
    mask_.data.zero_();
    mask_.data[0][slice] = 6;
    write_mask_of(series);
    files.insert(slurp(folder_ / "seg.dcm"));
  }
  EXPECT_EQ(files.size(), 2U);
}

TEST_F(Dicom, RefusesWhatIsNoCaseNamingTheFile) {
  Volume broken = ct_;
  broken.data = ct_.data.clone();
  broken.data[0][0][0][0] = NAN;
  EXPECT_THAT([&] { write("a", broken, study_); }, throws_failure(HasSubstr("NaN")));
  const DicomSeries series = write("a", ct_, study_);
  mask_.geometry.origin[0] += 1;
  EXPECT_THAT([&] { write_mask_of(series); }, throws_failure(HasSubstr("not on the grid")));
  mask_.geometry = ct_.geometry;
  mask_.data[0][0][0][0] = static_cast<uint8_t>(vocabulary_.size());
  EXPECT_THAT([&] { write_mask_of(series); }, throws_failure(HasSubstr("labels below 30")));
  mask_.data.zero_();
  EXPECT_THAT([&] { write_mask_of(series); }, throws_failure(HasSubstr("background alone")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "seg.dcm"));
}

}  // namespace
}  // namespace guidegen
