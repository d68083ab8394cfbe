#pragma once

#include <string>
#include <string_view>

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// What files of any format hold of a volume, in RAS orientation: one channel of 1 to 32767 voxels
/// along each axis. `name` of the file opens the messages of Error(kFailure).
///
/// CT: int16 HU, rounded and clamped; refuses NaN and infinite values.
Volume stored_ct(const std::string& name, const Volume& ct);
/// Mask: uint8, or uint16 where a label is above 255.
Volume stored_mask(const std::string& name, const Volume& mask);

/// The voxels as they are in memory.
std::string_view voxel_bytes(const at::Tensor& stored);

}  // namespace guidegen
