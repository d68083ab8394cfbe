#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// One tone curve: a Hounsfield window mapped smoothly and invertibly to [-1,1].
/// y = a u + (1-a) tanh-like shoulders, u = (HU - center) / (width/2); see exposure.cpp.
struct Exposure {
  std::string name;   ///< "soft_tissue"
  double center;      ///< HU
  double width;       ///< HU across the window
};

/// Lung (-600/1500), soft tissue (40/400), bone (500/1800) and full range (1024/4096).
std::vector<Exposure> default_exposures();
std::vector<Exposure> exposures_from_json(const Json& value, const std::string& source);
Json to_json(const std::vector<Exposure>& exposures);

/// HU [B,1,D,H,W] float32 -> [B,E,D,H,W] in (-1,1). HU is clamped to -1024…3071 first. Differentiable.
at::Tensor expose(const at::Tensor& hu, const std::vector<Exposure>& exposures);

/// Inverse of one curve per channel: [B,E,D,H,W] -> HU estimates [B,E,D,H,W]. Differentiable.
at::Tensor unexpose(const at::Tensor& exposed, const std::vector<Exposure>& exposures);

/// Slope dy/dHU of each curve at the exposed value, [B,E,D,H,W]: how well each channel resolves HU.
at::Tensor exposure_slope(const at::Tensor& exposed, const std::vector<Exposure>& exposures);

/// Fusion without learned parts: HU as the mean of the estimates weighted by slope^2.
/// expose followed by fuse returns HU within 0.5 over -1024…3071. [B,E,D,H,W] -> [B,1,D,H,W].
/// `log_weights` [B,E,D,H,W] is added to the logarithm of the weights when given (a learned part).
at::Tensor fuse(const at::Tensor& exposed, const std::vector<Exposure>& exposures,
                const at::Tensor& log_weights = {});

}  // namespace guidegen
