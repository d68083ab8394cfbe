#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "byte_source.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/volume/nifti.hpp"
#include "nifti_header.hpp"

namespace guidegen {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;  // a multiple of every voxel size

/// Whether a float or double, in the byte order of the file, has an exponent of all ones (NaN,
/// Inf).
template <typename Bits>
bool any_not_finite(const char* bytes, size_t count, bool swapped, Bits exponent) {
  if (swapped) {
    // Swap the mask instead of every voxel.
    auto raw = std::bit_cast<std::array<unsigned char, sizeof(Bits)>>(exponent);
    std::reverse(raw.begin(), raw.end());
    exponent = std::bit_cast<Bits>(raw);
  }
  for (size_t k = 0; k + sizeof(Bits) <= count; k += sizeof(Bits)) {
    Bits bits = 0;
    std::memcpy(&bits, bytes + k, sizeof(Bits));
    if ((bits & exponent) == exponent) return true;
  }
  return false;
}

void check_finite(const char* bytes, size_t count, const NiftiHeader& header,
                  const std::string& name) {
  bool bad = false;
  if (header.type == NiftiType::kFloat32) {
    bad = any_not_finite<uint32_t>(bytes, count, header.swapped, 0x7F800000U);
  } else if (header.type == NiftiType::kFloat64) {
    bad = any_not_finite<uint64_t>(bytes, count, header.swapped, 0x7FF0000000000000ULL);
  }
  if (bad) throw_failure(name, ": holds voxels that are NaN or infinite; expected finite values");
}

void skip(ByteSource& source, int64_t count, const std::string& name) {
  std::vector<char> scratch(static_cast<size_t>(count));
  if (source.read(scratch.data(), scratch.size()) != scratch.size()) {
    throw_failure(name, ": is truncated: it ends before its voxel data begins");
  }
}

}  // namespace

ImageGeometry validate_nifti(const std::filesystem::path& path) {
  const std::string name = path.string();
  const bool gzip = name.ends_with(".nii.gz");
  if (!gzip && !name.ends_with(".nii")) {
    throw_failure(name, ": is not named like a NIfTI file; expected .nii.gz or .nii");
  }
  ByteSource source(path, gzip);
  NiftiHeaderBytes bytes{};
  const size_t got = source.read(bytes.data(), bytes.size());
  if (got != bytes.size()) {
    throw_failure(name, ": is truncated: ", got, " bytes, where a NIfTI-1 header has 348");
  }
  const NiftiHeader header = parse_nifti_header(bytes, name);
  skip(source, header.data_offset - kNiftiHeaderBytes, name);

  const int64_t expected = header.geometry.voxels() * header.voxel_bytes;
  std::vector<char> chunk(kChunkBytes);
  int64_t done = 0;
  while (done < expected) {
    const size_t wanted = static_cast<size_t>(std::min<int64_t>(expected - done, kChunkBytes));
    const size_t count = source.read(chunk.data(), wanted);
    done += static_cast<int64_t>(count);
    if (count < wanted) {
      throw_failure(name, ": is truncated: ", done, " bytes of voxels, expected ", expected);
    }
    check_finite(chunk.data(), count, header, name);
  }
  // Reading on also makes the gzip checksum at the very end be checked.
  if (source.read(chunk.data(), 1) != 0) {
    throw_failure(name, ": has more bytes than the ", expected,
                  " of voxels that its header states");
  }
  return header.geometry;
}

}  // namespace guidegen
