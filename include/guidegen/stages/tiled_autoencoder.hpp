#pragma once

#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/stages/tile_plan.hpp"

namespace guidegen {

/// Stage II on volumes of any size within a given memory: tile by tile, with the numbers of the
/// whole volume up to float32 rounding. Each tile is computed with as much of its surroundings as
/// the convolutions reach, so that nothing has to be blended; the statistics of norms that span
/// the volume (NormScope::kVolume) are found in passes over all tiles beforehand.

/// ct: HU, any size (padded with air to multiples of 4) -> the posterior, [1,Z,D/4,H/4,W/4] each
/// (rounded up), on the CPU.
HdrAutoencoderImpl::Posterior encode_tiled(HdrAutoencoder& autoencoder, const Volume& ct,
                                           const TilePlan& plan, const TileCallback& on_tile = {});

/// z [1,Z,ceil(D/4),ceil(H/4),ceil(W/4)] -> CT in HU on the grid `geometry`; `mask`, on the same
/// grid, guides the decoder and may be null. Throws Error(kFailure) where sizes do not agree.
Volume decode_tiled(HdrAutoencoder& autoencoder, const at::Tensor& z, const Volume* mask,
                    const ImageGeometry& geometry, const TilePlan& plan,
                    const TileCallback& on_tile = {});

/// Whether decode_ct() goes about a CT of this grid in tiles, and so within `memory`.
bool decodes_in_tiles(const ImageGeometry& grid);

}  // namespace guidegen
