#pragma once

#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// Diffusion on voxels themselves, without an autoencoder: each block of 4x4x4 voxels becomes 64
/// channels of one "latent" voxel (space_to_depth), which only reorders the volume, so that noise,
/// losses and solvers are those of pixel space while the network works at a quarter of the
/// resolution. HU -1024…3071 are mapped to -1…1 by one straight line.
inline constexpr int64_t kPixelChannels = 64;

/// CT [1,D,H,W], any size (padded with air to multiples of 4) -> [1,64,D/4,H/4,W/4] float32.
at::Tensor fold_pixels(const Volume& ct);

/// The inverse: CT in HU on `geometry`, clamped to -1024…3071, on the CPU.
Volume unfold_pixels(const at::Tensor& folded, const ImageGeometry& geometry);

}  // namespace guidegen
