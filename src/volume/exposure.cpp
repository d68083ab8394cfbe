#include "guidegen/volume/exposure.hpp"

#include <cmath>
#include <set>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr size_t kMaxExposures = 16;
constexpr double kMaxLossHu = 0.5;

/// [1,E,1,1,1] float32 on the device of `like`, one number per exposure.
template <typename Number>
at::Tensor per_channel(const std::vector<Exposure>& exposures, const at::Tensor& like,
                       const Number& number) {
  std::vector<float> values;
  values.reserve(exposures.size());
  for (const Exposure& exposure : exposures) values.push_back(static_cast<float>(number(exposure)));
  // A handful of bytes: asynchronous even from memory that is not page-locked.
  return at::tensor(values, at::kFloat)
      .to(like.device(), /*non_blocking=*/true)
      .view({1, -1, 1, 1, 1});
}

double curve(const Exposure& exposure, double hu) {
  const double u = (hu - exposure.center) / (exposure.width / 2);
  return u / std::sqrt(1 + u * u);
}

at::Tensor half_widths(const std::vector<Exposure>& exposures, const at::Tensor& like) {
  return per_channel(exposures, like, [](const Exposure& e) { return e.width / 2; });
}

void check_exposed(const at::Tensor& exposed, const std::vector<Exposure>& exposures) {
  if (exposed.dim() != 5 || exposed.size(1) != static_cast<int64_t>(exposures.size())) {
    throw_failure("exposures: expected [B,", exposures.size(), ",D,H,W], got ", exposed.sizes());
  }
}

/// float32 and within what HU of the range is exposed to, so that 1 - y^2 stays away from 0.
at::Tensor within_range(const at::Tensor& exposed, const std::vector<Exposure>& exposures) {
  check_exposed(exposed, exposures);
  const at::Tensor low = per_channel(exposures, exposed, [](auto& e) { return curve(e, kMinHu); });
  const at::Tensor high = per_channel(exposures, exposed, [](auto& e) { return curve(e, kMaxHu); });
  return exposed.to(at::kFloat).clamp(low, high);
}

at::Tensor invert(const at::Tensor& y, const std::vector<Exposure>& exposures) {
  const at::Tensor centers = per_channel(exposures, y, [](const Exposure& e) { return e.center; });
  // (1 - y)(1 + y) keeps the digits that 1 - y*y loses near the ends.
  return y * ((1 - y) * (1 + y)).rsqrt() * half_widths(exposures, y) + centers;
}

at::Tensor slope(const at::Tensor& y, const std::vector<Exposure>& exposures) {
  return ((1 - y) * (1 + y)).pow(1.5) / half_widths(exposures, y);
}

/// Largest error of expose followed by fuse over every half HU of the range; NaN counts as
/// infinite.
double round_trip_loss(const std::vector<Exposure>& exposures) {
  const at::Tensor hu =
      at::arange(2 * kMinHu, 2 * kMaxHu + 1, at::kFloat).div(2).view({1, 1, 1, 1, -1});
  const at::Tensor error = (fuse(expose(hu, exposures), exposures) - hu).abs();
  return error.nan_to_num(INFINITY).max().item<double>();
}

}  // namespace

std::vector<Exposure> default_exposures() {
  return {
      {"lung", -600, 1500}, {"soft_tissue", 40, 400}, {"bone", 500, 1800}, {"full", 1024, 4096}};
}

std::vector<Exposure> exposures_from_json(const Json& value, const std::string& source) {
  if (!value.is_array() || value.empty() || value.size() > kMaxExposures) {
    throw_usage(source, ": exposures: expected an array of 1 to ", kMaxExposures,
                " objects {\"name\", \"center\", \"width\"}");
  }
  std::vector<Exposure> exposures;
  std::set<std::string> names;
  for (size_t k = 0; k < value.size(); ++k) {
    JsonObject object(value[k], source, concat("exposures[", k, "]"));
    Exposure exposure;
    exposure.name = object.text("name");
    exposure.center = object.number("center", -2000, 4000);
    exposure.width = object.number("width", 1, 10000);
    object.finish();
    if (exposure.name.empty()) object.fail("name", "is empty, expected a name");
    if (!names.insert(exposure.name).second) {
      object.fail("name", "\"" + exposure.name + "\" occurs twice, expected unique names");
    }
    exposures.push_back(exposure);
  }
  const double loss = round_trip_loss(exposures);
  if (loss > kMaxLossHu) {
    throw_usage(source, ": exposures: lose up to ", loss, " HU between ", kMinHu, " and ", kMaxHu,
                ", expected at most ", kMaxLossHu, ": add a wider window");
  }
  return exposures;
}

Json to_json(const std::vector<Exposure>& exposures) {
  Json array = Json::array();
  for (const Exposure& exposure : exposures) {
    array.push_back(
        {{"name", exposure.name}, {"center", exposure.center}, {"width", exposure.width}});
  }
  return array;
}

at::Tensor expose(const at::Tensor& hu, const std::vector<Exposure>& exposures) {
  if (hu.dim() != 5 || hu.size(1) != 1) {
    throw_failure("exposures: expected HU of shape [B,1,D,H,W], got ", hu.sizes());
  }
  const at::Tensor centers = per_channel(exposures, hu, [](const Exposure& e) { return e.center; });
  const at::Tensor u =
      (hu.to(at::kFloat).clamp(kMinHu, kMaxHu) - centers) / half_widths(exposures, hu);
  return u * (1 + u * u).rsqrt();
}

at::Tensor unexpose(const at::Tensor& exposed, const std::vector<Exposure>& exposures) {
  return invert(within_range(exposed, exposures), exposures);
}

at::Tensor exposure_slope(const at::Tensor& exposed, const std::vector<Exposure>& exposures) {
  return slope(within_range(exposed, exposures), exposures);
}

at::Tensor fuse(const at::Tensor& exposed, const std::vector<Exposure>& exposures,
                const at::Tensor& log_weights) {
  const at::Tensor y = within_range(exposed, exposures);
  at::Tensor logits = 2 * slope(y, exposures).log();
  if (log_weights.defined()) logits = logits + log_weights.to(at::kFloat);
  return (logits.softmax(1) * invert(y, exposures)).sum(1, /*keepdim=*/true);
}

}  // namespace guidegen
