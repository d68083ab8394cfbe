#pragma once

#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/train/stage_task.hpp"

namespace guidegen {

/// What the previews of every stage are sampled with.
inline constexpr uint64_t kPreviewSeed = 1;
/// Cases whose latents tell how all are distributed.
inline constexpr size_t kLatentCases = 24;

/// The "network" object of a training configuration; null stands for {}.
JsonObject network_object(const Json& network, const std::string& source);

/// At most `count` of them, evenly spread.
std::vector<size_t> spread(const std::vector<size_t>& indices, size_t count);

/// What the autoencoder makes of a case, in full precision whatever training uses.
HdrAutoencoderImpl::Posterior posterior_of(HdrAutoencoder& autoencoder, const TrainingCase& item);

}  // namespace guidegen
