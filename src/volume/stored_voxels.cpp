#include "volume/stored_voxels.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

constexpr int64_t kMaxExtent = 32767;  // dim[] of NIfTI-1 is int16

Volume checked_ras(const std::string& name, const Volume& volume) {
  check_volume(volume, name);
  if (volume.data.size(0) != 1) {
    throw_failure(name, ": cannot be written: expected 1 channel, got ", volume.data.size(0));
  }
  for (const int64_t extent : volume.geometry.size) {
    if (extent < 1 || extent > kMaxExtent) {
      throw_failure(name, ": cannot be written: ", extent, " voxels along one axis, expected 1 to ",
                    kMaxExtent);
    }
  }
  return reorient_ras(volume);
}

}  // namespace

Volume stored_ct(const std::string& name, const Volume& ct) {
  Volume ras = checked_ras(name, ct);
  const at::Tensor hu = ras.data.to(at::kFloat);
  if (!at::isfinite(hu).all().item<bool>()) {
    throw_failure(name, ": cannot be written: the CT holds NaN or infinite values");
  }
  ras.data = hu.round().clamp(-32768, 32767).to(at::kShort).contiguous();
  return ras;
}

Volume stored_mask(const std::string& name, const Volume& mask) {
  Volume ras = checked_ras(name, mask);
  if (at::isFloatingType(ras.data.scalar_type())) {
    throw_failure(name, ": cannot be written: a mask holds integers, got ", ras.data.scalar_type());
  }
  const auto [smallest, largest] = label_range(ras.data);
  if (smallest < 0 || largest > 65535) {
    throw_failure(name, ": cannot be written: labels from ", smallest, " to ", largest,
                  ", expected 0 to 65535");
  }
  ras.data = ras.data.to(largest <= 255 ? at::kByte : at::kUInt16).contiguous();
  return ras;
}

std::string_view voxel_bytes(const at::Tensor& stored) {
  return {static_cast<const char*>(stored.const_data_ptr()), stored.nbytes()};
}

}  // namespace guidegen
