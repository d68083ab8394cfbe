#pragma once

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// The Hounsfield range that exposures keep: 12-bit CT.
inline constexpr float kMinHu = -1024.0F;
inline constexpr float kMaxHu = 3071.0F;

/// How a window is mapped; u = (HU - center) / (width / 2), the window is u in [-1,1].
enum class ToneCurve {
  /// Smooth, invertible shoulders on both sides: y = u / sqrt(1 + u^2), u = y / sqrt(1 - y^2),
  /// dy/du = (1 - y^2)^(3/2). The window fills |y| <= 0.707, the shoulders the rest. Algebraic
  /// instead of tanh: the slope falls with u^-3, not exponentially, so the inverse stays well
  /// conditioned in float32 over the whole range (tanh of air in a soft-tissue window rounds to
  /// -1).
  kShoulder,
  /// y = u cut off at -1 and 1, the single window that most networks for CT are fed.
  kLinear,
  /// y = asinh(u) / asinh(U), where U is the largest |u| of the range: one curve that compresses
  /// the whole range towards the ends; dy/du = 1 / (asinh(U) sqrt(1 + u^2)).
  kAsinh,
};

/// One tone curve over a Hounsfield window, strictly increasing inside the window.
struct Exposure {
  std::string name;  ///< "soft_tissue"
  double center;     ///< HU
  double width;      ///< HU across the window
  ToneCurve curve = ToneCurve::kShoulder;
};

/// Lung (-600/1500), soft tissue (40/400), bone (500/1800) and full range (1024/4096).
std::vector<Exposure> default_exposures();

/// An array of {"name", "center", "width", "curve"}: 1 to 16 entries, unique names, center
/// -2000…4000, width 1…10000, curve "shoulder" (default), "linear" or "asinh", and windows wide
/// enough together that expose followed by fuse returns every HU of the range within 0.5 (float32
/// cannot tell bone apart in the shoulder of one narrow window). Where all curves are linear, that
/// holds for HU inside a window: what lies outside all of them is lost, see `kept_range`.
/// Throws Error(kUsage) naming `source` and the key.
std::vector<Exposure> exposures_from_json(const Json& value, const std::string& source);
Json to_json(const std::vector<Exposure>& exposures);

/// Lowest and highest HU that the exposures can tell from their neighbors.
std::pair<double, double> kept_range(const std::vector<Exposure>& exposures);

/// HU [B,1,D,H,W] -> [B,E,D,H,W] float32 in [-1,1]. HU is clamped to kMinHu…kMaxHu first.
/// Differentiable. Any device.
at::Tensor expose(const at::Tensor& hu, const std::vector<Exposure>& exposures);

/// What a network's output layer gives -> exposures, [B,E,D,H,W]: tanh for "shoulder", whose ends
/// no HU reaches; the others as they are, since a line and a logarithm need no bounds to be
/// learned.
at::Tensor exposed_from_output(const at::Tensor& output, const std::vector<Exposure>& exposures);

/// Inverse of one curve per channel: [B,E,D,H,W] -> HU estimates [B,E,D,H,W], float32. Values that
/// no HU of the range is exposed to (a decoder may emit any) count as the nearest end of the range.
/// Differentiable; the gradient is 0 beyond the ends.
at::Tensor unexpose(const at::Tensor& exposed, const std::vector<Exposure>& exposures);

/// Slope dy/dHU of each curve at the exposed value, [B,E,D,H,W], positive: how well each channel
/// resolves HU; next to nothing where a linear window is cut off. Differentiable.
at::Tensor exposure_slope(const at::Tensor& exposed, const std::vector<Exposure>& exposures);

/// Fusion without learned parts: HU as the mean of the estimates weighted by slope^2
/// (inverse-variance weighting when every channel carries the same noise). expose followed by fuse
/// returns HU within 0.5 over -1024…3071 for any exposures that parse. [B,E,D,H,W] -> [B,1,D,H,W],
/// float32. `log_weights` [B,E,D,H,W] is added to the logarithm of the weights when given (a
/// learned part).
at::Tensor fuse(const at::Tensor& exposed, const std::vector<Exposure>& exposures,
                const at::Tensor& log_weights = {});

}  // namespace guidegen
