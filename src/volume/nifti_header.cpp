#include "nifti_header.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "guidegen/core/error.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

static_assert(std::endian::native == std::endian::little,
              "headers are written as they lie in memory");

// Byte offsets of the fields, from the NIfTI-1 standard (nifti1.h).
constexpr size_t kSizeofHdr = 0, kDim = 40, kDatatype = 70, kBitpix = 72, kPixdim = 76;
constexpr size_t kVoxOffset = 108, kSclSlope = 112, kSclInter = 116, kXyztUnits = 123;
constexpr size_t kDescrip = 148, kQformCode = 252, kSformCode = 254, kQuatern = 256;
constexpr size_t kQoffset = 268, kSrow = 280, kMagic = 344;

constexpr int kUnitMask = 7, kUnitMillimeter = 2;
constexpr double kMinSpacing = 1e-3, kMaxSpacing = 1e3;  // mm
constexpr double kMaxCosine = 1e-3;  // between axes; float32 rounding stays far below
constexpr int64_t kMaxDataOffset = int64_t{1} << 26;

template <typename T>
T get(const NiftiHeaderBytes& bytes, size_t offset, bool swapped) {
  std::array<unsigned char, sizeof(T)> raw{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), sizeof(T), raw.begin());
  if (swapped) std::reverse(raw.begin(), raw.end());
  return std::bit_cast<T>(raw);
}

template <typename T>
void put(NiftiHeaderBytes& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

/// A header with the name for messages: one small reader for all checks.
struct Reader {
  const NiftiHeaderBytes& bytes;
  const std::string& name;
  bool swapped = false;

  int16_t int16(size_t offset) const { return get<int16_t>(bytes, offset, swapped); }
  double real(size_t offset) const { return get<float>(bytes, offset, swapped); }
};

/// Whether the bytes are in the other order; refuses what is not NIfTI-1 in a single file.
bool check_kind(const NiftiHeaderBytes& bytes, const std::string& name) {
  const auto size = get<int32_t>(bytes, kSizeofHdr, false);
  const auto swapped_size = get<int32_t>(bytes, kSizeofHdr, true);
  if (size == 540 || swapped_size == 540) {
    throw_failure(name, ": is NIfTI-2; expected NIfTI-1 (nibabel: nib.Nifti1Image.from_image)");
  }
  if (size != kNiftiHeaderBytes && swapped_size != kNiftiHeaderBytes) {
    throw_failure(name, ": is no NIfTI-1 file: sizeof_hdr is ", size, ", expected 348");
  }
  const char* magic = reinterpret_cast<const char*>(bytes.data()) + kMagic;
  if (std::memcmp(magic, "ni1", 4) == 0) {
    throw_failure(name, ": is half of a .hdr/.img pair; expected a single .nii or .nii.gz file");
  }
  if (std::memcmp(magic, "n+1", 4) != 0) {
    throw_failure(name, ": is no NIfTI-1 file: the magic string is not \"n+1\"");
  }
  return size != kNiftiHeaderBytes;
}

std::array<int64_t, 3> read_size(const Reader& in) {
  const int rank = in.int16(kDim);
  if (rank < 1 || rank > 7) {
    throw_failure(in.name, ": dim[0] is ", rank, ", expected 3 (a volume)");
  }
  if (rank < 3) throw_failure(in.name, ": has ", rank, " dimensions, expected 3 (a volume)");
  std::array<int64_t, 3> size{};
  int64_t voxels = 1;
  for (size_t k = 0; k < static_cast<size_t>(rank); ++k) {
    const int64_t extent = in.int16(kDim + 2 * (k + 1));
    if (extent < 1)
      throw_failure(in.name, ": dim[", k + 1, "] is ", extent, ", expected 1 or more");
    if (k < 3) {
      size[k] = extent;
      voxels *= extent;  // at most 2^45: no overflow
    } else if (extent != 1) {
      throw_failure(in.name, ": has ", extent, " frames along dimension ", k + 1,
                    "; expected one 3-D volume");
    }
  }
  if (voxels > kMaxVoxels) {
    throw_failure(in.name, ": claims ", voxels, " voxels, more than the ", kMaxVoxels, " allowed");
  }
  return size;
}

/// Bytes of a voxel, or 0 for types that CT and masks do not come in.
int64_t bytes_of(NiftiType type) {
  switch (type) {
    case NiftiType::kUint8:
    case NiftiType::kInt8:
      return 1;
    case NiftiType::kInt16:
    case NiftiType::kUint16:
      return 2;
    case NiftiType::kInt32:
    case NiftiType::kUint32:
    case NiftiType::kFloat32:
      return 4;
    case NiftiType::kFloat64:
    case NiftiType::kInt64:
    case NiftiType::kUint64:
      return 8;
  }
  return 0;
}

void read_storage(const Reader& in, NiftiHeader& header) {
  header.type = static_cast<NiftiType>(in.int16(kDatatype));
  header.voxel_bytes = bytes_of(header.type);
  if (header.voxel_bytes == 0) {
    throw_failure(in.name, ": datatype ", in.int16(kDatatype),
                  " is not supported; expected a real integer or floating type of 8 to 64 bits");
  }
  if (in.int16(kBitpix) != 8 * header.voxel_bytes) {
    throw_failure(in.name, ": bitpix is ", in.int16(kBitpix), ", expected ", 8 * header.voxel_bytes,
                  " for datatype ", in.int16(kDatatype));
  }
  const double offset = in.real(kVoxOffset);
  if (!(offset >= 352 && offset <= static_cast<double>(kMaxDataOffset)) ||
      offset != std::floor(offset)) {
    throw_failure(in.name, ": vox_offset is ", offset, ", expected a whole number from 352 to ",
                  kMaxDataOffset);
  }
  header.data_offset = static_cast<int64_t>(offset);
  // Slope 0 or NaN means "no scaling"; an intercept then has no meaning either.
  const double slope = in.real(kSclSlope);
  const double intercept = in.real(kSclInter);
  if (std::isinf(slope) || (std::isfinite(slope) && slope != 0 && !std::isfinite(intercept))) {
    throw_failure(in.name, ": scl_slope ", slope, " and scl_inter ", intercept,
                  " are not finite numbers");
  }
  const int unit = in.bytes[kXyztUnits] & kUnitMask;
  if (unit != 0 && unit != kUnitMillimeter) {
    throw_failure(in.name, ": the unit of space is code ", unit, ", expected millimeters (2)");
  }
}

/// Voxel-to-world columns of the quaternion form (nifti1.h, method 2).
Matrix4 qform_affine(const Reader& in) {
  const double b = in.real(kQuatern), c = in.real(kQuatern + 4), d = in.real(kQuatern + 8);
  const double rest = 1 - (b * b + c * c + d * d);
  if (!(rest >= -1e-5)) {
    throw_failure(in.name, ": the qform quaternion (", b, ", ", c, ", ", d, ") is longer than 1");
  }
  const double a = std::sqrt(std::max(rest, 0.0));
  // With a below 1e-3 rounding of b, c, d decides it; renormalise as nifti1.h advises.
  const double scale = 1 / std::sqrt(a * a + b * b + c * c + d * d);
  const double w = a * scale, x = b * scale, y = c * scale, z = d * scale;
  const Matrix3 rotation{{{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
                          {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
                          {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}}};
  const double qfac = in.real(kPixdim) < 0 ? -1 : 1;
  Matrix4 affine{};
  for (size_t row = 0; row < 3; ++row) {
    for (size_t axis = 0; axis < 3; ++axis) {
      const double step = in.real(kPixdim + 4 * (axis + 1)) * (axis == 2 ? qfac : 1);
      affine[row][axis] = rotation[row][axis] * step;
    }
    affine[row][3] = in.real(kQoffset + 4 * row);
  }
  return affine;
}

Matrix4 read_affine(const Reader& in) {
  for (size_t k = 1; k <= 3; ++k) {
    const double step = in.real(kPixdim + 4 * k);
    if (!(step > 0 && std::isfinite(step))) {
      throw_failure(in.name, ": pixdim[", k, "] is ", step, ", expected a positive number of mm");
    }
  }
  if (in.int16(kSformCode) > 0) {
    Matrix4 affine{};
    for (size_t row = 0; row < 3; ++row) {
      for (size_t k = 0; k < 4; ++k) affine[row][k] = in.real(kSrow + 16 * row + 4 * k);
    }
    return affine;
  }
  if (in.int16(kQformCode) > 0) return qform_affine(in);
  throw_failure(in.name,
                ": has neither an sform nor a qform, so left and right are unknown; set one "
                "(nibabel: image.set_sform(affine, code=1))");
}

void apply_affine(const Matrix4& affine, const std::string& name, ImageGeometry& geometry) {
  for (size_t axis = 0; axis < 3; ++axis) {
    double square = 0;
    for (size_t row = 0; row < 3; ++row) {
      if (!std::isfinite(affine[row][axis]) || !std::isfinite(affine[row][3])) {
        throw_failure(name, ": the affine holds a number that is not finite");
      }
      square += affine[row][axis] * affine[row][axis];
    }
    geometry.spacing[axis] = std::sqrt(square);
    if (!(geometry.spacing[axis] >= kMinSpacing && geometry.spacing[axis] <= kMaxSpacing)) {
      throw_failure(name, ": voxels along axis ", axis + 1, " are ", geometry.spacing[axis],
                    " mm apart, expected ", kMinSpacing, " to ", kMaxSpacing, " mm");
    }
    for (size_t row = 0; row < 3; ++row) {
      geometry.direction[row][axis] = affine[row][axis] / geometry.spacing[axis];
    }
    geometry.origin[axis] = affine[axis][3];
  }
  for (size_t one = 0; one < 3; ++one) {
    for (size_t two = one + 1; two < 3; ++two) {
      double cosine = 0;
      for (size_t row = 0; row < 3; ++row) {
        cosine += geometry.direction[row][one] * geometry.direction[row][two];
      }
      if (std::abs(cosine) > kMaxCosine) {
        throw_failure(name, ": axes ", one + 1, " and ", two + 1, " are sheared (cosine ", cosine,
                      "); expected a right angle: resample the image first");
      }
    }
  }
}

/// Unit quaternion (b, c, d; a >= 0 is implied) of a rotation, and whether the third axis had to be
/// mirrored to make it one (nifti1.h, nifti_mat44_to_quatern). The largest of the four squares is
/// taken from the diagonal, so nothing small is ever divided by.
struct Quaternion {
  double b, c, d;
  double qfac;
};

Quaternion to_quaternion(const Matrix3& direction) {
  Matrix3 r = direction;
  const double determinant = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) -
                             r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0]) +
                             r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
  const double qfac = determinant < 0 ? -1 : 1;
  for (auto& row : r) row[2] *= qfac;
  const std::array<double, 4> squares{
      1 + r[0][0] + r[1][1] + r[2][2], 1 + r[0][0] - r[1][1] - r[2][2],
      1 - r[0][0] + r[1][1] - r[2][2], 1 - r[0][0] - r[1][1] + r[2][2]};
  const auto largest =
      std::distance(squares.begin(), std::max_element(squares.begin(), squares.end()));
  const double twice = std::sqrt(squares[static_cast<size_t>(largest)]);  // 2 × that component
  const double s = 0.5 / twice;
  std::array<double, 4> q{};
  if (largest == 0) {
    q = {twice / 2, (r[2][1] - r[1][2]) * s, (r[0][2] - r[2][0]) * s, (r[1][0] - r[0][1]) * s};
  } else if (largest == 1) {
    q = {(r[2][1] - r[1][2]) * s, twice / 2, (r[0][1] + r[1][0]) * s, (r[0][2] + r[2][0]) * s};
  } else if (largest == 2) {
    q = {(r[0][2] - r[2][0]) * s, (r[0][1] + r[1][0]) * s, twice / 2, (r[1][2] + r[2][1]) * s};
  } else {
    q = {(r[1][0] - r[0][1]) * s, (r[0][2] + r[2][0]) * s, (r[1][2] + r[2][1]) * s, twice / 2};
  }
  const double sign = q[0] < 0 ? -1 : 1;
  return {sign * q[1], sign * q[2], sign * q[3], qfac};
}

}  // namespace

NiftiHeader parse_nifti_header(const NiftiHeaderBytes& bytes, const std::string& name) {
  NiftiHeader header;
  header.swapped = check_kind(bytes, name);
  const Reader in{bytes, name, header.swapped};
  header.geometry.size = read_size(in);
  read_storage(in, header);
  apply_affine(read_affine(in), name, header.geometry);
  return header;
}

NiftiHeaderBytes make_nifti_header(const ImageGeometry& geometry, NiftiType type) {
  NiftiHeaderBytes bytes{};
  put<int32_t>(bytes, kSizeofHdr, kNiftiHeaderBytes);
  bytes[38] = 'r';  // "regular": a field of ANALYZE that old readers still look at
  put<int16_t>(bytes, kDim, 3);
  for (size_t k = 1; k <= 7; ++k) {
    put(bytes, kDim + 2 * k, static_cast<int16_t>(k <= 3 ? geometry.size[k - 1] : 1));
  }
  put(bytes, kDatatype, static_cast<int16_t>(type));
  put(bytes, kBitpix, static_cast<int16_t>(8 * bytes_of(type)));
  const Quaternion q = to_quaternion(geometry.direction);
  put(bytes, kPixdim, static_cast<float>(q.qfac));
  put(bytes, kVoxOffset, 352.0F);
  put(bytes, kSclSlope, 1.0F);
  bytes[kXyztUnits] = kUnitMillimeter;
  constexpr char description[] = "guidegen";
  std::memcpy(bytes.data() + kDescrip, description, sizeof(description));
  put<int16_t>(bytes, kQformCode, 1);
  put<int16_t>(bytes, kSformCode, 1);
  put(bytes, kQuatern, static_cast<float>(q.b));
  put(bytes, kQuatern + 4, static_cast<float>(q.c));
  put(bytes, kQuatern + 8, static_cast<float>(q.d));
  const Matrix4 affine = geometry.affine();
  for (size_t row = 0; row < 3; ++row) {
    put(bytes, kPixdim + 4 * (row + 1), static_cast<float>(geometry.spacing[row]));
    put(bytes, kQoffset + 4 * row, static_cast<float>(geometry.origin[row]));
    for (size_t k = 0; k < 4; ++k) {
      put(bytes, kSrow + 16 * row + 4 * k, static_cast<float>(affine[row][k]));
    }
  }
  std::memcpy(bytes.data() + kMagic, "n+1", 4);
  return bytes;
}

}  // namespace guidegen
