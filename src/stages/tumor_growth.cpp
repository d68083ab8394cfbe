#include "guidegen/stages/tumor_growth.hpp"

#include <ATen/ATen.h>

#include <numbers>
#include <queue>

#include "guidegen/volume/labels.hpp"

namespace guidegen {

namespace {

constexpr int64_t kLeastVoxels = 2;  // what evaluation counts as a tumor

struct Grid {
  std::array<int64_t, 3> size{};  // x, y, z
  Vec3 spacing{};

  int64_t index(int64_t x, int64_t y, int64_t z) const { return (z * size[1] + y) * size[0] + x; }
  std::array<int64_t, 3> place(int64_t index) const {
    return {index % size[0], index / size[0] % size[1], index / (size[0] * size[1])};
  }
  bool holds(const std::array<int64_t, 3>& p) const {
    for (size_t k = 0; k < 3; ++k) {
      if (p[k] < 0 || p[k] >= size[k]) return false;
    }
    return true;
  }
};

// Grows pieces one after the other; `owner_` says which piece holds or borders on a voxel.
class Growth {
 public:
  Growth(const Grid& grid, const float* score, const bool* blocked)
      : grid_(grid),
        score_(score),
        blocked_(blocked),
        owner_(static_cast<size_t>(grid.size[0] * grid.size[1] * grid.size[2]), 0) {}

  /// Voxels of a further piece, by index.
  std::vector<int64_t> grow(const PlannedTumor& tumor) {
    ++piece_;
    tumor_ = &tumor;
    const double voxel = grid_.spacing[0] * grid_.spacing[1] * grid_.spacing[2];
    const double volume = std::numbers::pi / 6.0 * std::pow(tumor.diameter_mm, 3);
    const int64_t wanted = std::max(kLeastVoxels, int64_t(std::llround(volume / voxel)));
    std::vector<int64_t> piece;
    // Best score first; of equal ones the first voxel, so that results do not depend on the queue.
    std::priority_queue<std::pair<float, int64_t>> edge;
    std::vector<bool> seen(owner_.size(), false);
    const auto offer = [&](int64_t at) {
      if (seen[size_t(at)] || !free(at)) return;
      seen[size_t(at)] = true;
      edge.emplace(score_[at], -at);
    };
    const int64_t seed = best_near_center();
    if (seed >= 0) offer(seed);
    while (!edge.empty() && int64_t(piece.size()) < wanted) {
      const int64_t at = -edge.top().second;
      edge.pop();
      piece.push_back(at);
      const auto p = grid_.place(at);
      for (size_t k = 0; k < 3; ++k) {
        for (const int64_t step : {-1, 1}) {
          auto next = p;
          next[k] += step;
          if (grid_.holds(next) && distance(next) <= reach()) {
            offer(grid_.index(next[0], next[1], next[2]));
          }
        }
      }
    }
    for (const int64_t at : piece) claim(at);
    return piece;
  }

  /// Keeps pieces away from a voxel that is tumor already.
  void keep_away(int64_t at) {
    ++piece_;
    claim(at);
  }

 private:
  bool free(int64_t at) const {
    return owner_[size_t(at)] == 0 && !(blocked_ != nullptr && blocked_[at]);
  }
  Vec3 center() const {
    Vec3 middle{};
    for (size_t k = 0; k < 3; ++k) {
      middle[k] = tumor_->center_mm[k] / grid_.spacing[k] + 0.5 * double(grid_.size[k] - 1);
    }
    return middle;
  }
  double distance(const std::array<int64_t, 3>& p) const {
    const Vec3 middle = center();
    double squared = 0;
    for (size_t k = 0; k < 3; ++k) {
      squared += std::pow((double(p[k]) - middle[k]) * grid_.spacing[k], 2);
    }
    return std::sqrt(squared);
  }
  double widest() const { return std::max({grid_.spacing[0], grid_.spacing[1], grid_.spacing[2]}); }
  // A tumor may be half as long again as the ball of its volume.
  double reach() const { return 0.75 * tumor_->diameter_mm + widest(); }

  // The free voxel of highest score within half a radius (at least a voxel) of the center, or -1.
  int64_t best_near_center() const {
    const double near = std::max(0.25 * tumor_->diameter_mm, 0.9 * widest());
    const Vec3 middle = center();
    std::array<int64_t, 3> low{}, high{};
    for (size_t k = 0; k < 3; ++k) {
      const double extent = near / grid_.spacing[k];
      low[k] = std::clamp<int64_t>(int64_t(std::floor(middle[k] - extent)), 0, grid_.size[k] - 1);
      high[k] = std::clamp<int64_t>(int64_t(std::ceil(middle[k] + extent)), 0, grid_.size[k] - 1);
    }
    int64_t best = -1;
    for (int64_t z = low[2]; z <= high[2]; ++z) {
      for (int64_t y = low[1]; y <= high[1]; ++y) {
        for (int64_t x = low[0]; x <= high[0]; ++x) {
          const int64_t at = grid_.index(x, y, z);
          if (!free(at) || distance({x, y, z}) > near) continue;
          if (best < 0 || score_[at] > score_[best]) best = at;
        }
      }
    }
    return best;
  }

  // Marks a voxel of the current piece and its neighbors, so that no other piece touches it.
  void claim(int64_t at) {
    const auto p = grid_.place(at);
    for (int64_t z = -1; z <= 1; ++z) {
      for (int64_t y = -1; y <= 1; ++y) {
        for (int64_t x = -1; x <= 1; ++x) {
          const std::array<int64_t, 3> next{p[0] + x, p[1] + y, p[2] + z};
          if (grid_.holds(next)) owner_[size_t(grid_.index(next[0], next[1], next[2]))] = piece_;
        }
      }
    }
  }

  Grid grid_;
  const float* score_;
  const bool* blocked_;
  std::vector<int32_t> owner_;
  int32_t piece_ = 0;
  const PlannedTumor* tumor_ = nullptr;
};

}  // namespace

void grow_tumors(at::Tensor& mask, const at::Tensor& score, const at::Tensor& blocked,
                 const TumorPlan& plan, const ImageGeometry& geometry, int64_t tumor) {
  const auto odds = score.contiguous();
  const auto closed = blocked.defined() ? blocked.contiguous() : at::Tensor();
  Growth growth({geometry.size, geometry.spacing}, odds.const_data_ptr<float>(),
                closed.defined() ? closed.const_data_ptr<bool>() : nullptr);
  const auto there = voxels_of(mask, tumor).flatten().nonzero().flatten().contiguous();
  for (int64_t i = 0; i < there.numel(); ++i) {
    growth.keep_away(there.const_data_ptr<int64_t>()[i]);
  }
  auto grown = at::zeros({mask.numel()}, at::kBool);
  for (const auto& planned : plan) {
    if (planned.given) continue;
    for (const int64_t at : growth.grow(planned)) grown.mutable_data_ptr<bool>()[at] = true;
  }
  fill_label_(mask, grown.view(mask.sizes()), tumor);
}

}  // namespace guidegen
