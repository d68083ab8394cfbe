#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace guidegen {

/// An sRGB color as DICOM writes colors: CIE L*a*b* under the white point D50 (the profile
/// connection space of ICC), L* from 0…100 and a*, b* from -128…127 stretched to 0…65535 (PS3.3,
/// C.10.7.1.1).
std::vector<int64_t> dicom_cielab(const std::array<uint8_t, 3>& srgb);

}  // namespace guidegen
