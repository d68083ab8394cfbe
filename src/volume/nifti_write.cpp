#include <cstring>
#include <string>

#include "byte_source.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/volume/nifti.hpp"
#include "nifti_header.hpp"
#include "volume/stored_voxels.hpp"

namespace guidegen {
namespace {

constexpr size_t kDataOffset = 352;  // header and an empty extension flag

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
  const Volume stored = stored_ct(path.string(), ct);
  write_image(path, stored.geometry, NiftiType::kInt16, stored.data);
}

void write_mask(const std::filesystem::path& path, const Volume& mask) {
  const Volume stored = stored_mask(path.string(), mask);
  const bool narrow = stored.data.scalar_type() == at::kByte;
  write_image(path, stored.geometry, narrow ? NiftiType::kUint8 : NiftiType::kUint16, stored.data);
}

}  // namespace guidegen
