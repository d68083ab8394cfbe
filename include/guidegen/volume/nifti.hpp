#pragma once

#include <filesystem>

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// The most voxels that a file may claim: 2^31 (a 1290-cube).
inline constexpr int64_t kMaxVoxels = int64_t{1} << 31;

/// Checks a NIfTI-1 .nii or .nii.gz file of either byte order before any library sees it: header
/// fields, dimension (3, or more with one frame), voxel count, exact byte count, whole gzip stream
/// with CRC and no trailing bytes, orthogonal axes, finite affine, finite voxels, millimeters.
/// The affine is the sform's, or else the qform's, as in nibabel. With neither code set the sides
/// of the patient are unknown and the file is refused, where nibabel and ITK would guess
/// (differently). Throws Error(kFailure) naming the file. Returns the geometry as stored, not
/// reoriented.
ImageGeometry validate_nifti(const std::filesystem::path& path);

/// CT as float32 HU [1,D,H,W] in RAS orientation, with scl_slope and scl_inter applied. Refuses NaN
/// and Inf. Throws Error(kFailure).
Volume read_ct(const std::filesystem::path& path);

/// Mask [1,D,H,W] in RAS orientation. With `labels` > 0 its type is label_type(labels), whatever
/// the file holds, so that all masks of a vocabulary have one type; else uint8 when every value
/// fits, uint16 otherwise. Refuses values that are no integers from 0 to 65535 and, with `labels` >
/// 0, values of `labels` and above. Throws Error(kFailure).
Volume read_mask(const std::filesystem::path& path, int labels = 0);

/// Writes atomically, in RAS orientation, to a path ending in .nii.gz or .nii. CT: rounded and
/// clamped to int16. Mask: uint8, or uint16 above 255. Slope 1, intercept 0, sform and qform codes
/// 1 (scanner), unit mm. Bytes depend on the content alone: the gzip header has no time and no
/// name. Throws Error(kFailure), also for a CT that is not finite.
void write_ct(const std::filesystem::path& path, const Volume& ct);
void write_mask(const std::filesystem::path& path, const Volume& mask);

}  // namespace guidegen
