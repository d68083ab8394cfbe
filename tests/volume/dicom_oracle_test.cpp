#include <cstdlib>

#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/volume/dicom.hpp"
#include "guidegen/volume/nifti.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using volume_testing::counting_volume;
using volume_testing::oblique_geometry;
using volume_testing::spill;

/// Compares with pydicom and highdicom, through tests/oracle/dicom_oracle.py. GUIDEGEN_PYTHON names
/// a Python that has them; without one these tests are skipped.
class DicomOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system((python() + " -c 'import highdicom, pydicom' 2> /dev/null").c_str()) != 0) {
      GTEST_SKIP() << "highdicom is missing; set GUIDEGEN_PYTHON to a Python that has it";
    }
  }

  static std::string python() {
    const char* chosen = std::getenv("GUIDEGEN_PYTHON");
    return chosen && *chosen ? chosen : "python3";
  }

  int check() const {
    return std::system((python() + " " GUIDEGEN_SOURCE_DIR "/tests/oracle/dicom_oracle.py " +
                        folder_.path().string())
                           .c_str());
  }

  /// Writes the CT, and the mask where there is one, and notes what a reader must find.
  void write_case(const std::string& name, const Volume& ct, const Volume* mask,
                  const DicomStudy& study, const Json& attributes) {
    make_directories(folder_ / name / "ct");
    const DicomSeries series = write_dicom_ct(folder_ / name / "ct", ct, study);
    const Volume ras = reorient_ras(ct);
    Json note = {{"affine", ras.geometry.affine()},
                 {"size", ras.geometry.size},
                 {"voxels", values_of(ras)},
                 {"attributes", attributes}};
    if (mask != nullptr) {
      write_dicom_segmentation(folder_ / name / "seg.dcm", *mask, series, vocabulary_);
      note["labels"] = values_of(reorient_ras(*mask));
      note["vocabulary"] = vocabulary_.document()["labels"];
    }
    spill(folder_ / (name + ".json"), note.dump());
  }

  static std::vector<int32_t> values_of(const Volume& volume) {
    const at::Tensor voxels = volume.data.to(at::kInt).flatten().contiguous();
    const int32_t* first = voxels.const_data_ptr<int32_t>();
    return {first, first + voxels.numel()};
  }

  TemporaryFolder folder_;
  Vocabulary vocabulary_ = Vocabulary::load("torso");
};

TEST_F(DicomOracle, OthersReadCtAndSegmentationOnEveryGrid) {
  int count = 0;
  for (const double angle : {0.0, 0.05, -0.3, 0.6, 2.2}) {
    for (const double mirror : {1.0, -1.0}) {
      Volume ct = counting_volume(oblique_geometry(angle));
      for (auto& row : ct.geometry.direction) row[1] *= mirror;
      ct.data = ct.data * 13 - 1100;
      // Seven labels, one of them without a code (22), some of them in a few slices only.
      Volume mask = counting_volume(ct.geometry, at::kInt);
      mask.data = at::where(mask.data < 100, mask.data.remainder(3), mask.data.remainder(5) + 20)
                      .to(at::kByte);
      mask.data[0][2][4][3] = vocabulary_.tumor();
      DicomStudy study;
      study.case_id = "case-" + std::to_string(count);
      write_case("grid" + std::to_string(count++), ct, &mask, study, Json::object());
    }
  }
  EXPECT_EQ(check(), 0);
}

TEST_F(DicomOracle, OthersReadThePatient) {
  const Volume ct = counting_volume(centered_geometry({3, 4, 2}, {1, 1, 5}));
  write_case("known", ct, nullptr,
             {"a.b_c-01", "Größe 3 cm\\n", "F", 7, "asian", "agent, arterial"},
             {{"PatientSex", "F"},
              {"PatientAge", "007Y"},
              {"EthnicGroup", "asian"},
              {"PatientID", "synthetic-a.b_c-01"},
              {"PatientName", "Synthetic^a.b_c-01"},
              {"ContrastBolusAgent", "agent, arterial"},
              {"ImageComments", "Größe 3 cm\\n"}});
  write_case("open", ct, nullptr, {std::string(128, 'x'), "", "", {}, "", ""},
             {{"PatientSex", ""}, {"PatientAge", ""}, {"ContrastBolusAgent", ""}});
  EXPECT_EQ(check(), 0);
}

}  // namespace
}  // namespace guidegen
