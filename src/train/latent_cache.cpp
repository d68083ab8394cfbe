#include "guidegen/train/latent_cache.hpp"

#include <torch/torch.h>

#include <utility>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/sha256.hpp"

namespace guidegen {

namespace fs = std::filesystem;

LatentCache::LatentCache(fs::path folder, std::string autoencoder, Encode encode,
                         int64_t most_bytes)
    : folder_(std::move(folder)),
      autoencoder_(std::move(autoencoder)),
      encode_(std::move(encode)),
      most_bytes_(most_bytes) {
  if (folder_.empty()) return;
  try {
    make_directories(folder_);
    remove_leftovers(folder_, std::chrono::hours(24));  // nobody takes a day for one case
  } catch (const Error& error) {
    log_warning(concat(error.what(), "; latents are kept in memory alone"));
    folder_.clear();
  }
}

fs::path LatentCache::path_of(const TrainingCase& item) const {
  if (folder_.empty()) return {};
  const auto ct = item.ct.contiguous();
  const std::string_view voxels(static_cast<const char*>(ct.const_data_ptr()), ct.nbytes());
  const auto key = concat("latents 1\n", autoencoder_, "\n", ct.scalar_type(), " ", ct.sizes(),
                          "\n", sha256_hex(voxels));
  return folder_ / (sha256_hex(key) + ".safetensors");
}

std::optional<CtLatents> LatentCache::find(const fs::path& path, const TrainingCase& item) const {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    auto latents = read_latents(path);
    const auto wanted = to_xyz({item.ct.size(0), item.ct.size(1), item.ct.size(2)});
    if (latents.weights_sha256 != autoencoder_ || !latents.log_variance.defined() ||
        latents.geometry.size != wanted) {
      throw_failure(path.string(), ": the latents of something else");
    }
    return latents;
  } catch (const Error& error) {
    log_warning(concat(error.what(), "; it is made anew"));
    return std::nullopt;
  }
}

void LatentCache::store(const fs::path& path, const CtLatents& latents) {
  try {
    write_latents(path, latents);
  } catch (const Error& error) {
    log_warning(concat(error.what(), "; no more latents are stored"));
    folder_.clear();
  }
}

const CtLatents& LatentCache::load(const TrainingCase& item) {
  if (const auto kept = kept_.find(item.id); kept != kept_.end()) return kept->second;
  auto known = paths_.find(item.id);
  if (known == paths_.end()) known = paths_.emplace(item.id, path_of(item)).first;
  const fs::path path = folder_.empty() ? fs::path() : known->second;
  auto latents = path.empty() ? std::nullopt : find(path, item);
  if (!latents) {
    const auto posterior = encode_(item);
    latents =
        CtLatents{posterior.mean.to(at::kCPU).contiguous(),
                  posterior.log_variance.to(at::kCPU).contiguous(), item.geometry, autoencoder_};
    if (!path.empty()) store(path, *latents);
  }
  const auto bytes = static_cast<int64_t>(latents->mean.nbytes() + latents->log_variance.nbytes());
  if (bytes_ + bytes > most_bytes_) {
    if (folder_.empty() && !std::exchange(warned_, true)) {
      log_warning(concat("latents of the cases take more than ", most_bytes_ >> 20,
                         " MiB: the others are encoded anew each time; training.cache names a "
                         "folder that keeps them"));
    }
    return last_ = std::move(*latents);
  }
  bytes_ += bytes;
  return kept_[item.id] = std::move(*latents);
}

void LatentMoments::add(const at::Tensor& mean) {
  const auto values = mean.transpose(0, 1).flatten(1).to(at::kCPU, at::kDouble);
  const auto sum = values.sum(1), square = values.square().sum(1);
  sum_ = sum_.defined() ? sum_ + sum : sum;
  square_ = square_.defined() ? square_ + square : square;
  count_ += static_cast<double>(values.size(1));
}

LatentStatistics LatentMoments::finish() const {
  if (count_ < 2) throw_failure("latent statistics: expected two latent voxels or more");
  const auto mean = sum_ / count_;
  const auto variance = ((square_ - mean * sum_) / (count_ - 1)).clamp_min(0.0);
  const auto numbers = [](const at::Tensor& values) {
    return std::vector<double>(values.const_data_ptr<double>(),
                               values.const_data_ptr<double>() + values.numel());
  };
  return {numbers(mean), numbers(variance.sqrt())};
}

}  // namespace guidegen
