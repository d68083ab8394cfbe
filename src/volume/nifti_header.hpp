#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// Voxel types of NIfTI-1 that CT and masks come in (nifti1.h, field `datatype`).
enum class NiftiType : int16_t {
  kUint8 = 2,
  kInt16 = 4,
  kInt32 = 8,
  kFloat32 = 16,
  kFloat64 = 64,
  kInt8 = 256,
  kUint16 = 512,
  kUint32 = 768,
  kInt64 = 1024,
  kUint64 = 1280,
};

constexpr int64_t kNiftiHeaderBytes = 348;

using NiftiHeaderBytes = std::array<unsigned char, kNiftiHeaderBytes>;

/// What a NIfTI-1 header says, once checked.
struct NiftiHeader {
  bool swapped = false;  ///< bytes are in the other order than this machine's
  NiftiType type = NiftiType::kInt16;
  int64_t voxel_bytes = 2;
  int64_t data_offset = 352;
  ImageGeometry geometry;
};

/// Reads and checks a header of either byte order. `name` (the file) opens each message.
/// The affine is the sform's, or else the qform's, as in nibabel; with neither, left and right
/// would be a guess, so the file is refused. Throws Error(kFailure).
NiftiHeader parse_nifti_header(const NiftiHeaderBytes& bytes, const std::string& name);

/// Header of a single-file image: sform and qform code 1, mm, slope 1, intercept 0, data at 352.
/// `type` is kUint8, kUint16 or kInt16.
NiftiHeaderBytes make_nifti_header(const ImageGeometry& geometry, NiftiType type);

}  // namespace guidegen
