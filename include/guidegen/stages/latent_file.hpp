#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// What stage II made of a CT: the posterior over latents, and of which CT by which weights.
struct CtLatents {
  at::Tensor mean;             ///< [1,Z,ceil(D/4),ceil(H/4),ceil(W/4)] float32, on the CPU
  at::Tensor log_variance;     ///< the same; undefined where nobody kept it
  ImageGeometry geometry;      ///< of the CT
  std::string weights_sha256;  ///< of the autoencoder's weight file
};

/// Latents as a safetensors file: tensors "mean" and "log_variance"; metadata "format"
/// ("guidegen-latents"), "version", "geometry" (JSON: size, spacing_mm and origin_mm in x, y, z,
/// direction), "weights_sha256" and "tensors_sha256", of the bytes of both tensors. Written
/// atomically; bytes depend on the content alone.
void write_latents(const std::filesystem::path& path, const CtLatents& latents);

/// Throws Error(kFailure) naming the file: no latents, damaged, or of sizes that do not agree.
CtLatents read_latents(const std::filesystem::path& path);

}  // namespace guidegen
