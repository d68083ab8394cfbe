#include <cstring>
#include <string>

#include "byte_source.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"
#include "nifti_header.hpp"

namespace guidegen {
namespace {

constexpr int64_t kMaxExtent = 32767;  // dim[] is int16
constexpr size_t kDataOffset = 352;    // header and an empty extension flag

/// RAS volume fit for one NIfTI-1 file, or an error.
Volume checked_ras(const std::filesystem::path& path, const Volume& volume) {
  check_volume(volume, path.string());
  if (volume.data.size(0) != 1) {
    throw_failure(path.string(), ": cannot be written: expected 1 channel, got ",
                  volume.data.size(0));
  }
  for (const int64_t extent : volume.geometry.size) {
    if (extent < 1 || extent > kMaxExtent) {
      throw_failure(path.string(), ": cannot be written: ", extent,
                    " voxels along one axis, "
                    "expected 1 to ",
                    kMaxExtent);
    }
  }
  return reorient_ras(volume);
}

void write_image(const std::filesystem::path& path, const ImageGeometry& geometry, NiftiType type,
                 const at::Tensor& voxels) {
  const std::string name = path.string();
  const bool gzip = name.ends_with(".nii.gz");
  if (!gzip && !name.ends_with(".nii")) {
    throw_failure(name, ": cannot be written: expected a name ending in .nii.gz or .nii");
  }
  const NiftiHeaderBytes header = make_nifti_header(geometry, type);
  const size_t data_bytes = voxels.nbytes();
  std::string bytes(kDataOffset + data_bytes, '\0');
  std::memcpy(bytes.data(), header.data(), header.size());
  std::memcpy(bytes.data() + kDataOffset, voxels.const_data_ptr(), data_bytes);
  write_file_atomic(path, gzip ? gzip_compress(bytes) : bytes);
}

}  // namespace

void write_ct(const std::filesystem::path& path, const Volume& ct) {
  const Volume ras = checked_ras(path, ct);
  const at::Tensor hu = ras.data.to(at::kFloat);
  if (!at::isfinite(hu).all().item<bool>()) {
    throw_failure(path.string(), ": cannot be written: the CT holds NaN or infinite values");
  }
  const at::Tensor voxels = hu.round().clamp(-32768, 32767).to(at::kShort).contiguous();
  write_image(path, ras.geometry, NiftiType::kInt16, voxels);
}

void write_mask(const std::filesystem::path& path, const Volume& mask) {
  const Volume ras = checked_ras(path, mask);
  if (at::isFloatingType(ras.data.scalar_type())) {
    throw_failure(path.string(), ": cannot be written: a mask holds integers, got ",
                  ras.data.scalar_type());
  }
  const auto [smallest, largest] = label_range(ras.data);
  if (smallest < 0 || largest > 65535) {
    throw_failure(path.string(), ": cannot be written: labels from ", smallest, " to ", largest,
                  ", expected 0 to 65535");
  }
  if (largest <= 255) {
    write_image(path, ras.geometry, NiftiType::kUint8, ras.data.to(at::kByte).contiguous());
  } else {
    write_image(path, ras.geometry, NiftiType::kUint16, ras.data.to(at::kUInt16).contiguous());
  }
}

}  // namespace guidegen
