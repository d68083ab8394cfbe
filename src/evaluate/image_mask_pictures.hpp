#pragma once

#include "guidegen/evaluate/image_mask.hpp"

namespace guidegen {

/// Soft-tissue window, on the planes through the largest tumor of `mask` or the middle;
/// `segmentation` may be null.
ImageMaskPictures draw_image_mask(const Volume& ct, const Volume& mask, const Volume* segmentation,
                                  const Vocabulary& vocabulary);

}  // namespace guidegen
