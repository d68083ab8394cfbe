#include "guidegen/volume/nifti.hpp"

#include <algorithm>
#include <cstring>

#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using volume_testing::counting_volume;
using volume_testing::oblique_geometry;
using volume_testing::slurp;
using volume_testing::spill;

class NiftiFormat : public ::testing::TestWithParam<const char*> {};

TEST_P(NiftiFormat, CtRoundTripsOnAnObliqueGrid) {
  const TemporaryFolder folder;
  Volume ct = counting_volume(oblique_geometry(0.3));
  ct.data = ct.data * 9.0F - 1024.0F;
  write_ct(folder / GetParam(), ct);
  const Volume back = read_ct(folder / GetParam());
  EXPECT_TRUE(same_geometry(back.geometry, ct.geometry, 1e-5));
  EXPECT_EQ(back.data.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(back.data, ct.data));
}

TEST_P(NiftiFormat, MaskRoundTrips) {
  const TemporaryFolder folder;
  Volume mask = counting_volume(oblique_geometry(-0.2), at::kInt);
  mask.data = mask.data.remainder(30).to(at::kByte);
  write_mask(folder / GetParam(), mask);
  const Volume back = read_mask(folder / GetParam(), 30);
  EXPECT_EQ(back.data.scalar_type(), at::kByte);
  EXPECT_TRUE(at::equal(back.data, mask.data));
}

INSTANTIATE_TEST_SUITE_P(BothForms, NiftiFormat, ::testing::Values("a.nii", "a.nii.gz"));

TEST(Nifti, LabelsAbove255RoundTripAsUint16) {
  const TemporaryFolder folder;
  Volume mask = counting_volume(oblique_geometry(0), at::kInt);
  mask.data = mask.data * 208;  // up to 65312: needs all bits of uint16
  write_mask(folder / "m.nii.gz", mask);
  const Volume back = read_mask(folder / "m.nii.gz");
  EXPECT_EQ(back.data.scalar_type(), at::kUInt16);
  EXPECT_TRUE(at::equal(back.data.to(at::kInt), mask.data));
}

TEST(Nifti, CtIsRoundedAndClamped) {
  const TemporaryFolder folder;
  Volume ct{at::tensor({-1e6F, -0.6F, 40.4F, 1e6F}).view({1, 1, 1, 4}), {}};
  ct.geometry.size = {4, 1, 1};
  write_ct(folder / "c.nii", ct);
  EXPECT_TRUE(at::equal(read_ct(folder / "c.nii").data.flatten(),
                        at::tensor({-32768.0F, -1.0F, 40.0F, 32767.0F})));
}

TEST(Nifti, EqualContentGivesEqualBytes) {
  const TemporaryFolder folder;
  const Volume ct = counting_volume(oblique_geometry(0.1));
  write_ct(folder / "one.nii.gz", ct);
  write_ct(folder / "two.nii.gz", ct);
  const std::string bytes = slurp(folder / "one.nii.gz");
  EXPECT_EQ(bytes, slurp(folder / "two.nii.gz"));
  // RFC 1952: no flags (so no file name) and modification time 0.
  EXPECT_EQ(bytes.substr(3, 5), std::string(5, '\0'));
  EXPECT_EQ(folder.entries().size(), 2U);
}

TEST(Nifti, WritesOrientationCodesUnitsAndScaling) {
  const TemporaryFolder folder;
  write_ct(folder / "c.nii", counting_volume(oblique_geometry(0.1)));
  const std::string bytes = slurp(folder / "c.nii");
  const auto int16_at = [&](size_t offset) {
    int16_t value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof(value));
    return value;
  };
  const auto float_at = [&](size_t offset) {
    float value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof(value));
    return value;
  };
  EXPECT_EQ(int16_at(252), 1);  // qform_code
  EXPECT_EQ(int16_at(254), 1);  // sform_code
  EXPECT_EQ(bytes[123], 2);     // xyzt_units
  EXPECT_EQ(int16_at(70), 4);   // datatype
  EXPECT_EQ(float_at(112), 1);  // scl_slope
  EXPECT_EQ(float_at(116), 0);  // scl_inter
  EXPECT_EQ(bytes.size(), 352U + 2 * 7 * 9 * 5);
}

TEST(Nifti, ForeignOrientationIsReadAndWrittenAsRas) {
  const TemporaryFolder folder;
  Volume lps = counting_volume(oblique_geometry(0));
  lps.geometry.direction = {{{-1, 0, 0}, {0, -1, 0}, {0, 0, 1}}};
  write_ct(folder / "c.nii.gz", lps);
  const Volume back = read_ct(folder / "c.nii.gz");
  EXPECT_TRUE(back.geometry.is_ras());
  EXPECT_TRUE(at::equal(back.data, reorient_ras(lps).data));
}

/// A header edit and the same voxels in another type, made from a file that write_ct wrote.
struct Recoded {
  const char* name;
  int16_t datatype;
  std::string voxels;
};

template <typename T>
Recoded recode(const char* name, int16_t datatype) {
  std::string bytes(4 * sizeof(T), '\0');
  for (size_t k = 0; k < 4; ++k) {
    const T value = static_cast<T>(k + 1);
    std::memcpy(bytes.data() + k * sizeof(T), &value, sizeof(T));
  }
  return {name, datatype, bytes};
}

class NiftiVoxels : public ::testing::TestWithParam<Recoded> {
 protected:
  std::string file(bool big_endian) {
    const TemporaryFolder folder;
    Volume ct{at::zeros({1, 1, 1, 4}), {}};
    ct.geometry.size = {4, 1, 1};
    write_ct(folder / "c.nii", ct);
    std::string bytes = slurp(folder / "c.nii").substr(0, 352);
    const auto bitpix = static_cast<int16_t>(2 * GetParam().voxels.size());
    std::memcpy(bytes.data() + 70, &GetParam().datatype, 2);
    std::memcpy(bytes.data() + 72, &bitpix, 2);
    std::string voxels = GetParam().voxels;
    if (big_endian) {
      swap(bytes, 0, 1, 4);
      swap(bytes, 40, 8, 2);
      swap(bytes, 70, 2, 2);
      swap(bytes, 76, 11, 4);
      swap(bytes, 252, 2, 2);
      swap(bytes, 256, 18, 4);
      swap(voxels, 0, 4, voxels.size() / 4);
    }
    return bytes + voxels;
  }

  static void swap(std::string& bytes, size_t offset, size_t count, size_t width) {
    for (size_t k = 0; k < count; ++k) {
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset + k * width);
      std::reverse(begin, begin + static_cast<std::ptrdiff_t>(width));
    }
  }
};

TEST_P(NiftiVoxels, IsReadInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    const TemporaryFolder folder;
    spill(folder / "c.nii", file(big_endian));
    const Volume ct = read_ct(folder / "c.nii");
    EXPECT_TRUE(at::equal(ct.data.flatten(), at::tensor({1.0F, 2.0F, 3.0F, 4.0F})));
    const Volume mask = read_mask(folder / "c.nii");
    EXPECT_TRUE(at::equal(mask.data.flatten(), at::tensor({1, 2, 3, 4}, at::kByte)));
  }
}

TEST_P(NiftiVoxels, SlopeAndInterceptAreApplied) {
  const TemporaryFolder folder;
  std::string bytes = file(false);
  const float slope = 2.5F;
  const float intercept = -1024.0F;
  std::memcpy(bytes.data() + 112, &slope, 4);
  std::memcpy(bytes.data() + 116, &intercept, 4);
  spill(folder / "c.nii", bytes);
  EXPECT_TRUE(at::equal(read_ct(folder / "c.nii").data.flatten(),
                        at::tensor({-1021.5F, -1019.0F, -1016.5F, -1014.0F})));
}

INSTANTIATE_TEST_SUITE_P(
    AllTypes, NiftiVoxels,
    ::testing::Values(recode<uint8_t>("uint8", 2), recode<int16_t>("int16", 4),
                      recode<int32_t>("int32", 8), recode<float>("float32", 16),
                      recode<double>("float64", 64), recode<int8_t>("int8", 256),
                      recode<uint16_t>("uint16", 512), recode<uint32_t>("uint32", 768),
                      recode<int64_t>("int64", 1024), recode<uint64_t>("uint64", 1280)),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace guidegen
