#pragma once

#include <optional>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// Coordinates in this file are (x, y, z) = voxel index times spacing: mm that grow towards the
/// patient's right, front and head in a RAS mask.

/// Colon: the part of a typical course (caecum to rectum) that lies nearest to `point`. The course
/// is drawn in the box of the colon, so that it fits any patient.
std::optional<TumorPosition> colon_position(const Volume& mask, const Vocabulary& vocabulary,
                                            const Vec3& point);

/// Voxels that are true in `inside` [D,H,W], as double [N,3] of such coordinates.
at::Tensor points_in_mm(const at::Tensor& inside, const Vec3& spacing);

/// Pancreas with its tumor (double [N,3]): thirds of its extent along its principal axis, the head
/// on the patient's right.
std::optional<TumorPosition> pancreas_position(const Volume& mask, const Vocabulary& vocabulary,
                                               const at::Tensor& tumor);

/// Liver: side of the vertical plane through the gallbladder and the vena cava (Cantlie's plane,
/// which parts the lobes surgically). Where one of them is absent, the sagittal plane that leaves
/// two fifths of the liver on the left, the usual share of the left lobe.
std::optional<TumorPosition> liver_position(const Volume& mask, const Vocabulary& vocabulary,
                                            const Vec3& point);

}  // namespace guidegen
