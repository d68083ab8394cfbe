#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// 8-bit RGB picture, row-major, three bytes a pixel.
struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb;
};

/// PNG bytes, deterministic for the same picture.
std::string encode_png(const Picture& picture);
void write_png(const std::filesystem::path& path, const Picture& picture);

/// Reads an 8-bit RGB picture. Throws Error(kFailure) naming the file for anything else.
Picture read_png(const std::filesystem::path& path);
/// {width, height} of a PNG file, from its first bytes. Throws Error(kFailure).
std::array<int64_t, 2> png_size(const std::filesystem::path& path);

/// The picture at `height` pixels, at most its own, and the width that keeps its proportions: each
/// pixel is the mean of the area that it stands for. Throws Error(kFailure).
Picture shrunk(const Picture& picture, int64_t height);

struct PreviewOptions {
  double window_center = 40;
  double window_width = 400;      ///< HU
  double overlay_opacity = 0.45;  ///< of the mask over the CT
  int64_t height = 256;           ///< pixels of each panel
  /// Planes to show, as voxel indices x (sagittal), y (coronal), z (axial); -1: the plane through
  /// the largest tumour where there is one, the middle otherwise.
  std::array<int64_t, 3> planes{-1, -1, -1};
};

/// Axial, coronal and sagittal planes side by side, in radiological display: the patient's right on
/// the picture's left, head up, anterior up in the axial and left in the sagittal plane. Pixels are
/// square in mm and all panels have one scale. `ct` or `mask` may be null; with both, a row of CT
/// above a row of CT with overlay (outlines stronger, "body" fainter); a mask alone is drawn in
/// vocabulary colors. Throws Error(kFailure) for different grids, labels outside the vocabulary or
/// planes outside the volume.
Picture render_preview(const Volume* ct, const Volume* mask, const Vocabulary& vocabulary,
                       const PreviewOptions& options = {});

/// Pictures in a grid of `columns`, padded with black, with a caption under each in a built-in
/// bitmap font: printable ASCII, "?" for other characters, cut with "..." where it is wider than
/// the picture. Throws Error(kFailure) unless there is one caption a picture.
Picture contact_sheet(const std::vector<Picture>& pictures,
                      const std::vector<std::string>& captions, int64_t columns);

}  // namespace guidegen
