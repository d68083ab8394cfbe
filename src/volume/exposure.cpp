#include "guidegen/volume/exposure.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

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

double to_units(const Exposure& exposure, double hu) {
  return (hu - exposure.center) / (exposure.width / 2);
}

// asinh of the largest |u| of the range.
double asinh_scale(const Exposure& exposure) {
  return std::asinh(
      std::max(std::abs(to_units(exposure, kMinHu)), std::abs(to_units(exposure, kMaxHu))));
}

double tone(const Exposure& exposure, double hu) {
  const double u = to_units(exposure, hu);
  switch (exposure.curve) {
    case ToneCurve::kLinear:
      return std::clamp(u, -1.0, 1.0);
    case ToneCurve::kAsinh:
      return std::asinh(u) / asinh_scale(exposure);
    default:
      return u / std::sqrt(1 + u * u);
  }
}

constexpr std::pair<ToneCurve, std::string_view> kCurveNames[] = {
    {ToneCurve::kShoulder, "shoulder"},
    {ToneCurve::kLinear, "linear"},
    {ToneCurve::kAsinh, "asinh"}};

std::string_view name_of(ToneCurve curve) {
  for (const auto& [value, name] : kCurveNames) {
    if (value == curve) return name;
  }
  return "";
}

bool is_linear(const Exposure& exposure) { return exposure.curve == ToneCurve::kLinear; }

// One function a kind of curve, applied to the channels of that kind. Most sets are of one kind,
// which then needs neither slices nor copies.
template <typename Shoulder, typename Linear, typename Asinh>
at::Tensor by_curve(const std::vector<Exposure>& exposures, const at::Tensor& x,
                    const Shoulder& shoulder, const Linear& linear, const Asinh& asinh) {
  const auto apply = [&](const at::Tensor& part, const std::vector<Exposure>& of) {
    switch (of.front().curve) {
      case ToneCurve::kLinear:
        return linear(part, of);
      case ToneCurve::kAsinh:
        return asinh(part, of);
      default:
        return shoulder(part, of);
    }
  };
  std::vector<at::Tensor> parts;
  for (size_t first = 0; first < exposures.size();) {
    size_t end = first + 1;
    while (end < exposures.size() && exposures[end].curve == exposures[first].curve) ++end;
    const std::vector<Exposure> of(exposures.begin() + static_cast<std::ptrdiff_t>(first),
                                   exposures.begin() + static_cast<std::ptrdiff_t>(end));
    const auto part = x.slice(1, static_cast<int64_t>(first), static_cast<int64_t>(end));
    parts.push_back(apply(part, of));
    first = end;
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts, 1);
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
  const at::Tensor low = per_channel(exposures, exposed, [](auto& e) { return tone(e, kMinHu); });
  const at::Tensor high = per_channel(exposures, exposed, [](auto& e) { return tone(e, kMaxHu); });
  return exposed.to(at::kFloat).clamp(low, high);
}

at::Tensor asinh_scales(const std::vector<Exposure>& exposures, const at::Tensor& like) {
  return per_channel(exposures, like, asinh_scale);
}

at::Tensor invert(const at::Tensor& y, const std::vector<Exposure>& exposures) {
  const at::Tensor centers = per_channel(exposures, y, [](const Exposure& e) { return e.center; });
  const at::Tensor u = by_curve(
      exposures, y,
      // (1 - y)(1 + y) keeps the digits that 1 - y*y loses near the ends.
      [](const at::Tensor& part, auto&) { return part * ((1 - part) * (1 + part)).rsqrt(); },
      [](const at::Tensor& part, auto&) { return part; },
      [](const at::Tensor& part, auto& of) { return at::sinh(part * asinh_scales(of, part)); });
  return u * half_widths(exposures, y) + centers;
}

at::Tensor slope(const at::Tensor& y, const std::vector<Exposure>& exposures) {
  const at::Tensor slopes = by_curve(
      exposures, y,
      [](const at::Tensor& part, auto&) { return ((1 - part) * (1 + part)).pow(1.5); },
      [](const at::Tensor& part, auto&) {
        return (part.abs() < 1).to(at::kFloat).clamp_min(1e-6);  // its logarithm is taken
      },
      [](const at::Tensor& part, auto& of) {
        const at::Tensor scales = asinh_scales(of, part);
        return 1 / (scales * at::cosh(part * scales));
      });
  return slopes / half_widths(exposures, y);
}

bool inside(const Exposure& exposure, double hu) {
  return !is_linear(exposure) || std::abs(to_units(exposure, hu)) <= 1;
}

/// Largest error of expose followed by fuse over every half HU that some curve does not cut off;
/// NaN counts as infinite.
double round_trip_loss(const std::vector<Exposure>& exposures) {
  std::vector<float> kept;
  for (int twice = static_cast<int>(2 * kMinHu); twice <= static_cast<int>(2 * kMaxHu); ++twice) {
    const double hu = twice / 2.0;
    if (std::any_of(exposures.begin(), exposures.end(),
                    [hu](const Exposure& e) { return inside(e, hu); })) {
      kept.push_back(static_cast<float>(hu));
    }
  }
  if (kept.empty()) return INFINITY;
  const at::Tensor hu = at::tensor(kept).view({1, 1, 1, 1, -1});
  const at::Tensor error = (fuse(expose(hu, exposures), exposures) - hu).abs();
  return error.nan_to_num(INFINITY).max().item<double>();
}

ToneCurve curve_from(JsonObject& object) {
  std::vector<std::string> names;
  for (const auto& [curve, name] : kCurveNames) names.emplace_back(name);
  const auto chosen = object.choice("curve", names, names.front());
  for (const auto& [curve, name] : kCurveNames) {
    if (name == chosen) return curve;
  }
  return ToneCurve::kShoulder;
}

}  // namespace

std::vector<Exposure> default_exposures() {
  return {
      {"lung", -600, 1500}, {"soft_tissue", 40, 400}, {"bone", 500, 1800}, {"full", 1024, 4096}};
}

std::vector<Exposure> exposures_from_json(const Json& value, const std::string& source) {
  if (!value.is_array() || value.empty() || value.size() > kMaxExposures) {
    throw_usage(source, ": exposures: expected an array of 1 to ", kMaxExposures,
                " objects {\"name\", \"center\", \"width\", \"curve\"}");
  }
  std::vector<Exposure> exposures;
  std::set<std::string> names;
  for (size_t k = 0; k < value.size(); ++k) {
    JsonObject object(value[k], source, concat("exposures[", k, "]"));
    Exposure exposure;
    exposure.name = object.text("name");
    exposure.center = object.number("center", -2000, 4000);
    exposure.width = object.number("width", 1, 10000);
    exposure.curve = curve_from(object);
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
    array.push_back({{"name", exposure.name},
                     {"center", exposure.center},
                     {"width", exposure.width},
                     {"curve", name_of(exposure.curve)}});
  }
  return array;
}

std::pair<double, double> kept_range(const std::vector<Exposure>& exposures) {
  double low = kMaxHu, high = kMinHu;
  for (const Exposure& exposure : exposures) {
    const bool all = !is_linear(exposure);
    low = std::min(low, all ? kMinHu : exposure.center - exposure.width / 2);
    high = std::max(high, all ? kMaxHu : exposure.center + exposure.width / 2);
  }
  return {std::max<double>(low, kMinHu), std::min<double>(high, kMaxHu)};
}

at::Tensor expose(const at::Tensor& hu, const std::vector<Exposure>& exposures) {
  if (hu.dim() != 5 || hu.size(1) != 1) {
    throw_failure("exposures: expected HU of shape [B,1,D,H,W], got ", hu.sizes());
  }
  const at::Tensor centers = per_channel(exposures, hu, [](const Exposure& e) { return e.center; });
  const at::Tensor u =
      (hu.to(at::kFloat).clamp(kMinHu, kMaxHu) - centers) / half_widths(exposures, hu);
  return by_curve(
      exposures, u, [](const at::Tensor& part, auto&) { return part * (1 + part * part).rsqrt(); },
      [](const at::Tensor& part, auto&) { return part.clamp(-1, 1); },
      [](const at::Tensor& part, auto& of) { return at::asinh(part) / asinh_scales(of, part); });
}

at::Tensor exposed_from_output(const at::Tensor& output, const std::vector<Exposure>& exposures) {
  check_exposed(output, exposures);
  const auto same = [](const at::Tensor& part, auto&) { return part; };
  return by_curve(
      exposures, output, [](const at::Tensor& part, auto&) { return at::tanh(part); }, same, same);
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
