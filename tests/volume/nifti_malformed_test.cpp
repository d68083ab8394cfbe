#include <cstring>
#include <functional>
#include <limits>

#include "guidegen/volume/nifti.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using volume_testing::counting_volume;
using volume_testing::message_of;
using volume_testing::oblique_geometry;
using volume_testing::slurp;
using volume_testing::spill;

template <typename T>
void put(std::string& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

/// One way to spoil a good file and what the message must say.
struct Damage {
  const char* name;
  const char* file;
  std::function<void(std::string&)> spoil;
  const char* expected;
};

// Field offsets of the NIfTI-1 header.
constexpr size_t kDim = 40, kDatatype = 70, kBitpix = 72, kPixdim = 76, kVoxOffset = 108;
constexpr size_t kSlope = 112, kUnits = 123, kQform = 252, kSform = 254, kSrow = 280, kMagic = 344;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Turns the int16 voxels into as many float32, all `value`.
void make_float(std::string& bytes, float value) {
  put<int16_t>(bytes, kDatatype, 16);
  put<int16_t>(bytes, kBitpix, 32);
  const size_t voxels = (bytes.size() - 352) / 2;
  bytes.resize(352 + 4 * voxels);
  for (size_t k = 0; k < voxels; ++k) put(bytes, 352 + 4 * k, value);
}

const Damage kDamages[] = {
    {"Empty", "c.nii", [](auto& b) { b.clear(); }, "is empty"},
    {"EmptyGzip", "c.nii.gz", [](auto& b) { b.clear(); }, "is empty"},
    {"HeaderOnly", "c.nii", [](auto& b) { b.resize(100); }, "has 348"},
    {"NoExtensionFlag", "c.nii", [](auto& b) { b.resize(350); }, "before its voxel data"},
    {"Truncated", "c.nii", [](auto& b) { b.pop_back(); }, "629 bytes of voxels, expected 630"},
    {"Trailing", "c.nii", [](auto& b) { b += 'x'; }, "more bytes than the 630"},
    {"GzipTruncated", "c.nii.gz", [](auto& b) { b.resize(b.size() / 2); }, "truncated"},
    {"GzipWithoutTail", "c.nii.gz", [](auto& b) { b.resize(b.size() - 4); }, "truncated"},
    {"GzipTrailing", "c.nii.gz", [](auto& b) { b += "xyz"; }, "after the end of its gzip data"},
    {"GzipCrc", "c.nii.gz", [](auto& b) { b[b.size() - 8] ^= 1; }, "incorrect data check"},
    {"GzipLength", "c.nii.gz", [](auto& b) { b[b.size() - 1] ^= 1; }, "incorrect length check"},
    {"GzipTwice", "c.nii.gz", [](auto& b) { b += std::string(b); }, "more bytes than the 630"},
    {"NotGzip", "c.nii.gz", [](auto& b) { b[0] = 'x'; }, "is not gzip data"},
    {"HiddenGzip", "c.nii", [](auto& b) { b[0] = 0x1F, b[1] = '\x8B'; }, "is gzip data"},
    {"Nifti2", "c.nii", [](auto& b) { put<int32_t>(b, 0, 540); }, "is NIfTI-2"},
    {"HeaderSize", "c.nii", [](auto& b) { put<int32_t>(b, 0, 349); }, "sizeof_hdr is 349"},
    {"Magic", "c.nii", [](auto& b) { b[kMagic] = 'x'; }, "magic"},
    {"Pair", "c.nii", [](auto& b) { b.replace(kMagic, 3, "ni1"); }, ".hdr/.img pair"},
    {"FourD", "c.nii",
     [](auto& b) {
       put<int16_t>(b, kDim, 4);
       put<int16_t>(b, kDim + 8, 2);
     },
     "2 frames"},
    {"TwoD", "c.nii", [](auto& b) { put<int16_t>(b, kDim, 2); }, "2 dimensions"},
    {"Rank", "c.nii", [](auto& b) { put<int16_t>(b, kDim, 8); }, "dim[0] is 8"},
    {"NegativeDim", "c.nii", [](auto& b) { put<int16_t>(b, kDim + 4, -9); }, "dim[2] is -9"},
    {"ZeroDim", "c.nii", [](auto& b) { put<int16_t>(b, kDim + 6, 0); }, "dim[3] is 0"},
    {"AbsurdSize", "c.nii",
     [](auto& b) {
       for (size_t k = 1; k <= 3; ++k) put<int16_t>(b, kDim + 2 * k, 32767);
     },
     "voxels, more than the 2147483648 allowed"},
    {"Rgb", "c.nii", [](auto& b) { put<int16_t>(b, kDatatype, 128); }, "datatype 128"},
    {"Bitpix", "c.nii", [](auto& b) { put<int16_t>(b, kBitpix, 8); }, "bitpix is 8, expected 16"},
    {"NanOffset", "c.nii", [](auto& b) { put(b, kVoxOffset, kNan); }, "vox_offset"},
    {"EarlyOffset", "c.nii", [](auto& b) { put(b, kVoxOffset, 0.0F); }, "vox_offset is 0"},
    {"FarOffset", "c.nii", [](auto& b) { put(b, kVoxOffset, 1e9F); }, "vox_offset"},
    {"Slope", "c.nii", [](auto& b) { put(b, kSlope, std::numeric_limits<float>::infinity()); },
     "scl_slope"},
    {"Units", "c.nii", [](auto& b) { b[kUnits] = 1; }, "unit of space"},
    {"ZeroPixdim", "c.nii", [](auto& b) { put(b, kPixdim + 8, 0.0F); }, "pixdim[2] is 0"},
    {"NanPixdim", "c.nii", [](auto& b) { put(b, kPixdim + 4, kNan); }, "pixdim[1]"},
    {"NoCodes", "c.nii",
     [](auto& b) {
       put<int16_t>(b, kQform, 0);
       put<int16_t>(b, kSform, 0);
     },
     "neither an sform nor a qform"},
    {"LongQuaternion", "c.nii",
     [](auto& b) {
       put<int16_t>(b, kSform, 0);
       put(b, 256, 0.9F);
       put(b, 260, 0.9F);
     },
     "quaternion"},
    {"NanAffine", "c.nii", [](auto& b) { put(b, kSrow + 12, kNan); }, "not finite"},
    {"ZeroAffine", "c.nii",
     [](auto& b) {
       for (size_t row = 0; row < 3; ++row) put(b, kSrow + 16 * row, 0.0F);
     },
     "axis 1 are 0 mm apart"},
    {"Sheared", "c.nii", [](auto& b) { put(b, kSrow + 4, 0.5F); }, "sheared"},
    {"NanVoxels", "c.nii", [](auto& b) { make_float(b, kNan); }, "NaN"},
    {"InfiniteVoxels", "c.nii",
     [](auto& b) { make_float(b, -std::numeric_limits<float>::infinity()); }, "NaN or infinite"},
};

class Malformed : public ::testing::TestWithParam<Damage> {};

TEST_P(Malformed, IsRefusedInOneLineThatNamesTheFile) {
  const Damage& damage = GetParam();
  const TemporaryFolder folder;
  const auto path = folder / damage.file;
  write_ct(path, counting_volume(oblique_geometry(0)));
  ASSERT_EQ(message_of([&] { validate_nifti(path); }), "");
  std::string bytes = slurp(path);
  damage.spoil(bytes);
  spill(path, bytes);
  const auto refused =
      AllOf(StartsWith(path.string() + ": "), HasSubstr(damage.expected), Not(HasSubstr("\n")));
  EXPECT_THAT(message_of([&] { validate_nifti(path); }), refused);
  EXPECT_THAT(message_of([&] { read_ct(path); }), refused);
  EXPECT_THAT(message_of([&] { read_mask(path); }), refused);
}

INSTANTIATE_TEST_SUITE_P(Files, Malformed, ::testing::ValuesIn(kDamages),
                         [](const auto& each) { return each.param.name; });

TEST(NiftiErrors, MissingFolderAndWrongName) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { read_ct(folder / "no.nii.gz"); }), HasSubstr("cannot be opened"));
  std::filesystem::create_directory(folder / "d.nii");
  EXPECT_THAT(message_of([&] { read_ct(folder / "d.nii"); }), HasSubstr("is a folder"));
  spill(folder / "c.nrrd", "NRRD");
  EXPECT_THAT(message_of([&] { read_ct(folder / "c.nrrd"); }), HasSubstr("expected .nii.gz"));
}

TEST(NiftiErrors, LabelsOutOfRangeAndFractions) {
  const TemporaryFolder folder;
  Volume mask = counting_volume(oblique_geometry(0), at::kInt);
  mask.data = mask.data.remainder(31);
  write_mask(folder / "m.nii.gz", mask);
  EXPECT_EQ(message_of([&] { read_mask(folder / "m.nii.gz", 31); }), "");
  EXPECT_THAT(message_of([&] { read_mask(folder / "m.nii.gz", 30); }),
              HasSubstr("m.nii.gz: holds label 30, expected labels from 0 to 29"));

  Volume ct = counting_volume(oblique_geometry(0));
  ct.data = ct.data - 5;
  write_ct(folder / "c.nii", ct);
  EXPECT_THAT(message_of([&] { read_mask(folder / "c.nii"); }), HasSubstr("holds label -5"));

  std::string bytes = slurp(folder / "c.nii");
  make_float(bytes, 1.5F);
  spill(folder / "f.nii", bytes);
  EXPECT_THAT(message_of([&] { read_mask(folder / "f.nii"); }),
              HasSubstr("holds the value 1.5, expected whole labels"));
}

TEST(NiftiErrors, UnfitVolumesAreNotWritten) {
  const TemporaryFolder folder;
  Volume ct = counting_volume(oblique_geometry(0));
  EXPECT_THAT(message_of([&] { write_ct(folder / "c.mha", ct); }), HasSubstr("expected a name"));
  EXPECT_THAT(message_of([&] { write_mask(folder / "m.nii", ct); }), HasSubstr("integers"));
  ct.data[0][0][0][0] = kNan;
  EXPECT_THAT(message_of([&] { write_ct(folder / "c.nii", ct); }), HasSubstr("NaN"));
  Volume mask = counting_volume(oblique_geometry(0), at::kInt);
  mask.data = mask.data - 1;
  EXPECT_THAT(message_of([&] { write_mask(folder / "m.nii", mask); }), HasSubstr("from -1 to"));
  EXPECT_THAT(folder.entries(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace guidegen
