#pragma once

#include <filesystem>

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// The most voxels that a file may claim: 2^31 (a 1290-cube).
inline constexpr int64_t kMaxVoxels = int64_t{1} << 31;

/// Checks a .nii or .nii.gz file before any library sees it: header fields, dimension (3, or 4 with
/// one frame), voxel count, exact byte count, whole gzip stream with CRC and no trailing bytes,
/// orthogonal axes, finite affine. Throws Error(kFailure) naming the file. Returns the geometry.
ImageGeometry validate_nifti(const std::filesystem::path& path);

/// CT as float32 HU [1,D,H,W] in RAS orientation. Refuses NaN and Inf. Throws Error(kFailure).
Volume read_ct(const std::filesystem::path& path);

/// Mask [1,D,H,W] in RAS orientation, uint8 when every value fits, int32 otherwise. Refuses values that are negative or no
/// integers, and, with `labels` > 0, values of `labels` and above. Throws Error(kFailure).
Volume read_mask(const std::filesystem::path& path, int labels = 0);

/// Writes atomically. CT: rounded and clamped to int16, slope 1, intercept 0. Mask: uint8, or uint16
/// above 255. sform and qform codes 1 (scanner), units mm. Bytes depend on the content alone.
void write_ct(const std::filesystem::path& path, const Volume& ct);
void write_mask(const std::filesystem::path& path, const Volume& mask);

}  // namespace guidegen
