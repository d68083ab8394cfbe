#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/stages/segmenter.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// How windows move over a CT.
struct WindowOptions {
  /// Voxels along each axis, rounded down to a multiple of 2^levels; 0: what the segmenter is
  /// configured for.
  int64_t window = 0;
  double overlap = 0.5;  ///< least share that neighbors have in common, 0…0.9
};

/// Called after each window; may throw.
using WindowCallback = std::function<void(int64_t done, int64_t total)>;

/// CT [1,D,H,W] in HU -> labels [1,D,H,W] on its grid. Windows move over the volume and their
/// probabilities are averaged with Gaussian weights of a deviation of an eighth of the window
/// (Isensee et al., nnU-Net, Nat Methods 18:203, 2021); a volume that one window covers is seen at
/// once. Where its spacing is far from those of the training cases the CT is resampled first
/// (SegmenterImpl::working_spacing) and the labels are brought back. Beside the network it holds
/// 4 K bytes for each voxel of as many slices as a window has, for K labels.
Volume segment_ct(Segmenter& segmenter, const Volume& ct, const WindowOptions& options = {},
                  const WindowCallback& on_window = {});

/// The segmenter of a model directory, ready to judge.
class SegmenterModel {
 public:
  /// Throws Error(kUsage) for a directory without one, Error(kFailure) for bad weights.
  static SegmenterModel load(const std::filesystem::path& directory,
                             const at::Device& device = at::kCPU);
  Volume segment(const Volume& ct, const WindowOptions& options = {},
                 const WindowCallback& on_window = {}) const;
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const std::string& weights_sha256() const { return sha256_; }

 private:
  SegmenterModel(Segmenter segmenter, Vocabulary vocabulary, std::string sha256);

  mutable Segmenter segmenter_;  // forward passes are not const; the weights do not change
  Vocabulary vocabulary_;
  std::string sha256_;
};

}  // namespace guidegen
