#pragma once

#include <ATen/ATen.h>

#include <string>

#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// An image in memory: `data` [C,D,H,W], contiguous, on the CPU.
/// CT: float32 in HU, C = 1. Mask: uint8, or uint16 where a vocabulary has more than 256 labels
/// (see labels.hpp), C = 1.
struct Volume {
  at::Tensor data;
  ImageGeometry geometry;
};

/// Permutes and flips axes so that the index axes run closest to R, A and S. Every voxel keeps its
/// value, dtype and world position; the data is contiguous (and shared when nothing had to move).
Volume reorient_ras(const Volume& volume);

/// Throws Error(kFailure) unless data is [C,D,H,W] with D,H,W of the geometry.
void check_volume(const Volume& volume, const std::string& what);

}  // namespace guidegen
