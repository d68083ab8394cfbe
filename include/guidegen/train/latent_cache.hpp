#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "guidegen/data/training_case.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/stages/latent_file.hpp"
#include "guidegen/stages/model_directory.hpp"

namespace guidegen {

/// What a frozen autoencoder makes of training cases, so that each is encoded once: in memory and,
/// given a folder, in files `<folder>/<key>.safetensors` (stages/latent_file.hpp) that later runs
/// and other processes use as well.
///
/// Kept is the posterior, mean and log-variance, never a sample of it: who wants samples draws them
/// anew each time. The key is a SHA-256 of the autoencoder's weights and configuration and of the
/// voxels of the CT, so nothing stale is served. Files appear whole or not at all; a damaged one is
/// made anew, with a warning. Not thread-safe.
class LatentCache {
 public:
  using Encode = std::function<HdrAutoencoderImpl::Posterior(const TrainingCase&)>;

  /// `autoencoder` is all that decides what `encode` makes of a CT. An empty `folder` leaves memory
  /// alone, of which the latents take up to `most_bytes`. Where the folder can't be made a warning
  /// says so and nothing is stored.
  LatentCache(std::filesystem::path folder, std::string autoencoder, Encode encode,
              int64_t most_bytes = int64_t{1} << 30);

  /// mean and log_variance [1,Z,D/4,H/4,W/4] on the CPU. Throws what `encode` throws.
  const CtLatents& load(const TrainingCase& item);

  /// File of a case; empty without a folder.
  std::filesystem::path path_of(const TrainingCase& item) const;

 private:
  std::optional<CtLatents> find(const std::filesystem::path& path, const TrainingCase& item) const;
  void store(const std::filesystem::path& path, const CtLatents& latents);

  std::filesystem::path folder_;
  std::string autoencoder_;
  Encode encode_;
  int64_t most_bytes_, bytes_ = 0;
  std::unordered_map<std::string, CtLatents> kept_;               // by id
  CtLatents last_;                                                // what kept_ has no room for
  std::unordered_map<std::string, std::filesystem::path> paths_;  // by id: hashing a CT takes time
  bool warned_ = false;
};

/// Mean and standard deviation of each channel over the means of some posteriors.
class LatentMoments {
 public:
  void add(const at::Tensor& mean);  ///< [1,Z,...]
  LatentStatistics finish() const;

 private:
  double count_ = 0;
  at::Tensor sum_, square_;  // [Z] float64
};

}  // namespace guidegen
