#include "volume/membership.hpp"

#include <algorithm>
#include <cmath>

namespace guidegen {
namespace {

/// Positions are rounded to this share of a source voxel, so that exact ties are broken alike along
/// the whole axis whatever the rounding of the affine.
constexpr double kTick = 1.0 / (1 << 20);

std::array<float, 4> spline_weights(double f) {
  const double g = 1 - f;
  return {
      static_cast<float>(g * g * g / 6), static_cast<float>((3 * f * f * f - 6 * f * f + 4) / 6),
      static_cast<float>((3 * g * g * g - 6 * g * g + 4) / 6), static_cast<float>(f * f * f / 6)};
}

std::array<float, 4> linear_weights(double f) {
  return {0, static_cast<float>(1 - f), static_cast<float>(f), 0};
}

}  // namespace

int64_t AxisPlan::longest_run() const {
  int64_t longest = 0;
  for (const Run& run : runs) longest = std::max(longest, run.count);
  return longest;
}

AxisPlan plan_axis(int64_t source_size, int64_t target_size, double offset, double step,
                   bool smooth) {
  AxisPlan plan;
  plan.smooth = smooth;
  for (int64_t k = 0; k < target_size; ++k) {
    const double at = std::round((offset + step * static_cast<double>(k)) / kTick) * kTick;
    const auto nearest = static_cast<int64_t>(std::floor(at + 0.5));
    const bool inside = nearest >= 0 && nearest < source_size;
    const auto base = static_cast<int64_t>(std::floor(at));
    const double f = at - static_cast<double>(base);
    plan.nearest.push_back(inside ? nearest : -1);
    plan.weights.push_back(smooth ? spline_weights(f) : linear_weights(f));
    if (!inside) continue;
    if (plan.runs.empty() || plan.runs.back().base != base) plan.runs.push_back({k, 0, base});
    ++plan.runs.back().count;
  }
  return plan;
}

CellReader::CellReader(const Pieces& pieces, const std::array<int64_t, 3>& source_size,
                       const GridPlan& plan)
    : pieces_(pieces), size_(source_size), plan_(plan) {
  const auto nx = static_cast<size_t>(plan[0].longest_run());
  const auto ny = static_cast<size_t>(plan[1].longest_run());
  const auto nz = static_cast<size_t>(plan[2].longest_run());
  rows_.resize(16 * nx);
  planes_.resize(4 * ny * nx);
  values_.resize(nz * ny * nx);
}

void CellReader::open(const AxisPlan::Run& x, const AxisPlan::Run& y, const AxisPlan::Run& z) {
  x_ = x;
  y_ = y;
  z_ = z;
  gather();
  present_.clear();
  for (const int32_t id : ids_) {
    if (present_.empty() || present_.back() != id) present_.push_back(id);
  }
  if (present_.size() == 1) return;
  std::sort(present_.begin(), present_.end());
  present_.erase(std::unique(present_.begin(), present_.end()), present_.end());
}

void CellReader::gather() {
  const auto clamped = [this](int64_t at, size_t axis) {
    return std::clamp<int64_t>(at, 0, size_[axis] - 1);
  };
  std::array<int64_t, 4> columns;
  for (int64_t i = 0; i < 4; ++i) {
    columns[static_cast<size_t>(i)] = clamped(x_.base - 1 + i, 0);
  }
  size_t at = 0;
  for (int64_t k = 0; k < 4; ++k) {
    const int64_t z = clamped(z_.base - 1 + k, 2);
    for (int64_t j = 0; j < 4; ++j) {
      const int64_t y = clamped(y_.base - 1 + j, 1);
      const int32_t* row = pieces_.ids.data() + (z * size_[1] + y) * size_[0];
      for (const int64_t column : columns) ids_[at++] = row[column];
    }
  }
}

const float* CellReader::membership(int32_t piece) {
  const auto* wx = plan_[0].weights.data() + x_.first;
  const auto* wy = plan_[1].weights.data() + y_.first;
  const auto* wz = plan_[2].weights.data() + z_.first;
  float* row = rows_.data();
  for (size_t r = 0; r < 16; ++r, row += x_.count) {
    std::array<float, 4> has;
    for (size_t i = 0; i < 4; ++i) has[i] = ids_[4 * r + i] == piece ? 1.0F : 0.0F;
    for (int64_t x = 0; x < x_.count; ++x) {
      row[x] = has[0] * wx[x][0] + has[1] * wx[x][1] + has[2] * wx[x][2] + has[3] * wx[x][3];
    }
  }
  float* out = planes_.data();
  for (int64_t k = 0; k < 4; ++k) {
    const float* from = rows_.data() + 4 * k * x_.count;
    for (int64_t y = 0; y < y_.count; ++y, out += x_.count) {
      for (int64_t x = 0; x < x_.count; ++x) {
        out[x] = from[x] * wy[y][0] + from[x + x_.count] * wy[y][1] +
                 from[x + 2 * x_.count] * wy[y][2] + from[x + 3 * x_.count] * wy[y][3];
      }
    }
  }
  const int64_t plane = x_.count * y_.count;
  const float* from = planes_.data();
  for (int64_t z = 0; z < z_.count; ++z) {
    float* values = values_.data() + z * plane;
    for (int64_t i = 0; i < plane; ++i) {
      values[i] = from[i] * wz[z][0] + from[i + plane] * wz[z][1] + from[i + 2 * plane] * wz[z][2] +
                  from[i + 3 * plane] * wz[z][3];
    }
  }
  return values_.data();
}

}  // namespace guidegen
