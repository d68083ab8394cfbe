#pragma once

#include <ATen/ATen.h>

#include "guidegen/core/random_stream.hpp"

namespace guidegen {

/// float32 CPU tensor of standard normals drawn from `stream`.
at::Tensor random_normal(RandomStream& stream, at::IntArrayRef sizes);
/// float32 CPU tensor of uniforms in [0,1).
at::Tensor random_uniform(RandomStream& stream, at::IntArrayRef sizes);

}  // namespace guidegen
