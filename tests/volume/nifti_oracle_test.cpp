#include <cstdlib>

#include "guidegen/core/json.hpp"
#include "guidegen/volume/nifti.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using volume_testing::counting_volume;
using volume_testing::oblique_geometry;
using volume_testing::spill;

/// Compares with nibabel, through tests/oracle/nifti_affine.py. GUIDEGEN_PYTHON names a Python that
/// has it; without one these tests are skipped.
class NiftiOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system((python() + " -c 'import nibabel, numpy' 2> /dev/null").c_str()) != 0) {
      GTEST_SKIP() << "nibabel is missing; set GUIDEGEN_PYTHON to a Python that has it";
    }
  }

  static std::string python() {
    const char* chosen = std::getenv("GUIDEGEN_PYTHON");
    return chosen && *chosen ? chosen : "python3";
  }

  int run(const std::string& mode) const {
    return std::system((python() + " " GUIDEGEN_SOURCE_DIR "/tests/oracle/nifti_affine.py " + mode +
                        " " + folder_.path().string())
                           .c_str());
  }

  TemporaryFolder folder_;
};

void write_note(const std::filesystem::path& path, const std::string& file, const Volume& ras,
                const std::string& dtype) {
  const at::Tensor voxels = ras.data.to(at::kInt).flatten().contiguous();
  const int32_t* first = voxels.const_data_ptr<int32_t>();
  Json note;
  note["file"] = file;
  note["affine"] = ras.geometry.affine();
  note["spacing"] = ras.geometry.spacing;
  note["dtype"] = dtype;
  note["voxels"] = std::vector<int32_t>(first, first + voxels.numel());
  spill(path, note.dump());
}

TEST_F(NiftiOracle, NibabelReadsWhatWeWrite) {
  int count = 0;
  for (const double angle : {0.0, 0.05, -0.3, 0.7, 2.2, 3.1}) {
    for (const double mirror : {1.0, -1.0}) {
      Volume ct = counting_volume(oblique_geometry(angle));
      for (auto& row : ct.geometry.direction) row[1] *= mirror;
      ct.data = ct.data * 5 - 700;
      const std::string name = "ct" + std::to_string(count++);
      write_ct(folder_ / (name + ".nii.gz"), ct);
      write_note(folder_ / (name + ".json"), name + ".nii.gz", reorient_ras(ct), "int16");
    }
  }
  Volume mask = counting_volume(oblique_geometry(0.2), at::kInt);
  write_mask(folder_ / "wide.nii", mask);
  write_note(folder_ / "wide.json", "wide.nii", mask, "uint16");
  mask.data = mask.data.remainder(30);
  write_mask(folder_ / "narrow.nii", mask);
  write_note(folder_ / "narrow.json", "narrow.nii", mask, "uint8");
  EXPECT_EQ(run("check"), 0);
}

TEST_F(NiftiOracle, WeReadWhatNibabelWrites) {
  ASSERT_EQ(run("write"), 0);
  int count = 0;
  for (const std::string& name : folder_.entries()) {
    if (name.ends_with(".json")) continue;
    const Json note = read_json_file(folder_ / (name.substr(0, name.find('.')) + ".json"));
    const Volume ct = read_ct(folder_ / name);
    EXPECT_EQ(ct.geometry.size, (note["size"].get<std::array<int64_t, 3>>())) << name;
    const auto expected = note["affine"].get<Matrix4>();
    const Matrix4 affine = ct.geometry.affine();
    for (size_t row = 0; row < 4; ++row) {
      for (size_t k = 0; k < 4; ++k) EXPECT_NEAR(affine[row][k], expected[row][k], 1e-4) << name;
    }
    const auto voxels = note["voxels"].get<std::vector<float>>();
    EXPECT_TRUE(at::equal(ct.data.flatten(), at::tensor(voxels))) << name;
    ++count;
  }
  EXPECT_EQ(count, 24);
}

}  // namespace
}  // namespace guidegen
