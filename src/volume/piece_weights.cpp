#include "volume/piece_weights.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "volume/membership.hpp"

namespace guidegen {
namespace {

constexpr float kSmallest = 1.0F / 16;  // of weights and of ratios
constexpr float kLargest = 16;

/// How often each ratio of memberships was seen, in bins of an eighth of an octave. Small, since
/// noise has many pieces: the bins are the leading bits of the float.
class RatioHistogram {
 public:
  void add(float ratio) {
    if (ratio >= kLargest) {
      ++above_;
    } else if (ratio >= kSmallest) {
      ++bins_[(std::bit_cast<uint32_t>(ratio) - kFirst) >> kShift];
    }
  }
  void add_above(int64_t count) { above_ += count; }

  /// The ratio that `wanted` samples exceed.
  float exceeded_by(int64_t wanted) const {
    int64_t above = above_;
    if (above >= wanted) return kLargest;
    for (size_t bin = kBins; bin-- > 0;) {
      const auto here = static_cast<int64_t>(bins_[bin]);
      if (above + here >= wanted) {
        const float share = static_cast<float>(wanted - above) / static_cast<float>(here);
        return edge(bin + 1) + share * (edge(bin) - edge(bin + 1));
      }
      above += here;
    }
    return kSmallest;
  }

 private:
  static constexpr uint32_t kShift = 20;  ///< leaves three bits of the mantissa
  static constexpr uint32_t kFirst = std::bit_cast<uint32_t>(kSmallest);
  static constexpr size_t kBins = 64;
  static_assert((std::bit_cast<uint32_t>(kLargest) - kFirst) >> kShift == kBins);

  static float edge(size_t bin) {
    return std::bit_cast<float>(kFirst + (static_cast<uint32_t>(bin) << kShift));
  }

  std::array<uint32_t, kBins> bins_{};
  int64_t above_ = 0;
};

/// Samples of the memberships, a few a voxel.
class Balance {
 public:
  Balance(const Pieces& pieces, const std::array<int64_t, 3>& size,
          const std::array<bool, 3>& smooth_axes)
      : pieces_(pieces), size_(size), weights_(pieces.label.size(), 1.0F) {
    constexpr int64_t kSamples = 4;  // along an axis of a voxel
    for (size_t axis = 0; axis < 3; ++axis) {
      const int64_t count = smooth_axes[axis] ? kSamples : 1;
      const double step = 1.0 / static_cast<double>(count);
      plan_[axis] =
          plan_axis(size[axis], size[axis] * count, step / 2 - 0.5, step, smooth_axes[axis]);
      samples_ *= count;
    }
  }

  /// The weight of each piece that would give it its volume if all others stayed as they are.
  std::vector<float> wanted() {
    histograms_.assign(weights_.size(), {});
    CellReader cell(pieces_, size_, plan_);
    for (const auto& z : plan_[2].runs) {
      for (const auto& y : plan_[1].runs) {
        for (const auto& x : plan_[0].runs) {
          cell.open(x, y, z);
          add_ratios(cell);
        }
      }
    }
    std::vector<float> wanted(weights_.size());
    for (size_t piece = 0; piece < wanted.size(); ++piece) {
      wanted[piece] = 1 / histograms_[piece].exceeded_by(samples_ * pieces_.voxels[piece]);
    }
    return wanted;
  }

  std::vector<float>& weights() { return weights_; }

 private:
  /// Of each piece's membership to the largest weighted one of all others.
  void add_ratios(CellReader& cell) {
    const std::vector<int32_t>& present = cell.present();
    const auto samples = static_cast<size_t>(cell.voxels());
    if (present.size() == 1) {
      histograms_[static_cast<size_t>(present[0])].add_above(cell.voxels());
      return;
    }
    values_.resize(present.size() * samples);
    best_.assign(samples, 0);
    second_.assign(samples, 0);
    for (size_t i = 0; i < present.size(); ++i) {
      const float weight = weights_[static_cast<size_t>(present[i])];
      const float* values = cell.membership(present[i]);
      for (size_t k = 0; k < samples; ++k) {
        const float score = weight * values[k];
        values_[i * samples + k] = values[k];
        second_[k] = std::max(second_[k], std::min(best_[k], score));
        best_[k] = std::max(best_[k], score);
      }
    }
    for (size_t i = 0; i < present.size(); ++i) {
      const auto piece = static_cast<size_t>(present[i]);
      const float weight = weights_[piece];
      for (size_t k = 0; k < samples; ++k) {
        const float value = values_[i * samples + k];
        if (value <= 0) continue;
        const float others = weight * value >= best_[k] ? second_[k] : best_[k];
        histograms_[piece].add(others > 0 ? value / others : kLargest);
      }
    }
  }

  const Pieces& pieces_;
  std::array<int64_t, 3> size_;
  GridPlan plan_;
  int64_t samples_ = 1;  ///< a voxel
  std::vector<float> weights_;
  std::vector<RatioHistogram> histograms_;
  std::vector<float> values_, best_, second_;
};

}  // namespace

std::vector<float> piece_weights(const Pieces& pieces, const std::array<int64_t, 3>& source_size,
                                 const std::array<bool, 3>& smooth_axes) {
  Balance balance(pieces, source_size, smooth_axes);
  std::vector<float>& weights = balance.weights();
  // First only those that lose grow, which is nearly all for small pieces in large ones. Then both
  // sides of a surface take half a step each, since both move it.
  std::vector<float> wanted = balance.wanted();
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = std::clamp(wanted[i], 1.0F, kLargest);
  constexpr int kRounds = 2;
  for (int round = 0; round < kRounds; ++round) {
    wanted = balance.wanted();
    for (size_t i = 0; i < weights.size(); ++i) {
      weights[i] = std::clamp(std::sqrt(weights[i] * wanted[i]), kSmallest, kLargest);
    }
  }
  // What still falls short and is small against its neighbors may take the whole step.
  constexpr int64_t kSmallPiece = 64;
  wanted = balance.wanted();
  for (size_t i = 0; i < weights.size(); ++i) {
    if (pieces.voxels[i] > kSmallPiece) continue;
    weights[i] = std::clamp(std::max(weights[i], wanted[i]), kSmallest, kLargest);
  }
  return weights;
}

}  // namespace guidegen
